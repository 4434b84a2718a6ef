# SPDX-License-Identifier: GPL-2.0-or-later
"""What is built: the image and its files, the disk and how it comes to a drive, the same bytes again."""
