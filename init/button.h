/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's own buttons, which are input devices: power, and restart where there is one. */
#ifndef HVINIT_BUTTON_H
#define HVINIT_BUTTON_H

/* Listens to all input devices that have such a key and are not listened to yet. */
void button_look(void);

#endif
