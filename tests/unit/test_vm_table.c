/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of states and events: each of its cells that something outside can reach. */
#include "unit.h"

#include "fakeqemu.h"

struct cell {
	enum vm_state state;
	enum vm_event event;
	const char *to; /* the state after it */
	const char *refusal; /* part of why a command did nothing; NULL: it did something */
	const char *tells; /* what QEMU is told; "" nothing */
	bool kills;
};

#define NO_PROCESS(state)                                                 \
	{ state, VM_EV_STOP, NULL, "is not running", "", false },         \
		{ state, VM_EV_KILL, NULL, "is not running", "", false }, \
		{ state, VM_EV_PAUSE, NULL, "not running", "", false },   \
		{ state, VM_EV_RESUME, NULL, "not running", "", false },  \
		{ state, VM_EV_RESET, NULL, "not running", "", false },   \
	{                                                                 \
		state, VM_EV_TIMEOUT, NULL, NULL, "", false               \
	}

static const struct cell cells[] = {
	/* clang-format off */
	{ VM_INVALID, VM_EV_START, "invalid", "", "", false },
	NO_PROCESS(VM_INVALID),
	{ VM_INVALID, VM_EV_RESTART, "invalid", "faults", "", false },
	{ VM_INVALID, VM_EV_UNFIT, "invalid", NULL, "", false },

	{ VM_STOPPED, VM_EV_START, "starting", NULL, "", false },
	NO_PROCESS(VM_STOPPED),
	{ VM_STOPPED, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_STOPPED, VM_EV_UNFIT, "failed", NULL, "", false },

	{ VM_STARTING, VM_EV_START, "starting", "", "", false },
	{ VM_STARTING, VM_EV_STOP, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_RESTART, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_PAUSE, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_RESUME, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_RESET, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_EMPTY, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_EXEC, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_READY, "prelaunch", NULL, "\"cont\"", false },
	{ VM_STARTING, VM_EV_RESUMED, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_PAUSED, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_REFUSED, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_LOST, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STARTING, VM_EV_UNFIT, "starting", NULL, "", false },

	{ VM_PRELAUNCH, VM_EV_START, "prelaunch", "", "", false },
	{ VM_PRELAUNCH, VM_EV_STOP, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_RESTART, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_PAUSE, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_RESUME, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_RESET, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_EMPTY, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_EXEC, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_READY, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_PAUSED, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_REFUSED, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_LOST, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_UNFIT, "prelaunch", NULL, "", false },

	{ VM_RUNNING, VM_EV_START, "running", "", "", false },
	{ VM_RUNNING, VM_EV_STOP, "stopping", NULL, "\"system_powerdown\"", false },
	{ VM_RUNNING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_RUNNING, VM_EV_RESTART, "stopping", NULL, "\"system_powerdown\"", false },
	{ VM_RUNNING, VM_EV_PAUSE, "running", NULL, "\"stop\"", false },
	{ VM_RUNNING, VM_EV_RESUME, "running", "is running", "", false },
	{ VM_RUNNING, VM_EV_RESET, "running", NULL, "\"system_reset\"", false },
	{ VM_RUNNING, VM_EV_HUNG, "stopping", NULL, "query-status", true },
	{ VM_RUNNING, VM_EV_EMPTY, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_EXEC, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_READY, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_PAUSED, "paused", NULL, "query-status", false },
	{ VM_RUNNING, VM_EV_REFUSED, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_LOST, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_RUNNING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_RUNNING, VM_EV_UNFIT, "running", NULL, "", false },

	{ VM_PAUSED, VM_EV_START, "paused", "", "", false },
	{ VM_PAUSED, VM_EV_STOP, "stopping", NULL, "\"quit\"", false },
	{ VM_PAUSED, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_PAUSED, VM_EV_RESTART, "stopping", NULL, "\"quit\"", false },
	{ VM_PAUSED, VM_EV_PAUSE, "paused", "already", "", false },
	{ VM_PAUSED, VM_EV_RESUME, "paused", NULL, "\"cont\"", false },
	{ VM_PAUSED, VM_EV_RESET, "paused", NULL, "\"system_reset\"", false },
	{ VM_PAUSED, VM_EV_HUNG, "stopping", NULL, "query-status", true },
	{ VM_PAUSED, VM_EV_EMPTY, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_EXEC, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_READY, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_PAUSED, VM_EV_PAUSED, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_REFUSED, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_LOST, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_PAUSED, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_PAUSED, VM_EV_UNFIT, "paused", NULL, "", false },

	{ VM_STOPPING, VM_EV_START, "stopping", "", "", false },
	{ VM_STOPPING, VM_EV_STOP, "stopping", "", "", false },
	{ VM_STOPPING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_STOPPING, VM_EV_RESTART, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_PAUSE, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_RESUME, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_RESET, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_EMPTY, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_EXEC, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_READY, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_RESUMED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_PAUSED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_REFUSED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_LOST, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_TIMEOUT, "stopping", NULL, "system_powerdown", false },
	{ VM_STOPPING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STOPPING, VM_EV_UNFIT, "stopping", NULL, "", false },

	{ VM_STUCK, VM_EV_START, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_STOP, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_KILL, "stuck", NULL, "", true },
	{ VM_STUCK, VM_EV_RESTART, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_PAUSE, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_RESUME, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_RESET, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_EMPTY, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_EXEC, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_READY, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_RESUMED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_PAUSED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_REFUSED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_LOST, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_TIMEOUT, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STUCK, VM_EV_UNFIT, "stuck", NULL, "", false },

	{ VM_BACKOFF, VM_EV_START, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_STOP, "stopped", NULL, "", false },
	{ VM_BACKOFF, VM_EV_KILL, "stopped", NULL, "", false },
	{ VM_BACKOFF, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_PAUSE, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_RESUME, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_RESET, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_TIMEOUT, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_UNFIT, "backoff", NULL, "", false },

	{ VM_FAILED, VM_EV_START, "starting", NULL, "", false },
	NO_PROCESS(VM_FAILED),
	{ VM_FAILED, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_FAILED, VM_EV_UNFIT, "failed", NULL, "", false },
	/* clang-format on */
};

/* Brings it to a state, and forgets what was said on the way. */
static void go(enum vm_state state)
{
	switch (state) {
	case VM_INVALID:
		diag_add(&faults, 0, DIAG_SYMBOL_VALUE, "VM0_CPUS", "bad");
		set_up();
		break;
	case VM_STOPPED:
		break;
	case VM_STARTING:
		command(VM_EV_START);
		break;
	case VM_PRELAUNCH:
		command(VM_EV_START);
		happen_ready();
		break;
	case VM_RUNNING:
		go_running();
		break;
	case VM_PAUSED:
		go_running();
		happen_pause();
		break;
	case VM_STOPPING:
		go_running();
		command(VM_EV_STOP);
		break;
	case VM_STUCK:
		go_running();
		command(VM_EV_KILL);
		happen_timeout();
		break;
	case VM_BACKOFF:
		config.vm[0].restart = VM_RESTART_ALWAYS;
		command(VM_EV_START);
		end_process(STATUS_1);
		break;
	case VM_FAILED:
		command(VM_EV_START);
		end_process(STATUS_1);
		break;
	default:
		fail();
	}
	told();
	said[0] = happened[0] = '\0';
	killed = 0;
}

static void happen(enum vm_event event)
{
	switch (event) {
	case VM_EV_EXEC:
		happen_exec();
		break;
	case VM_EV_READY:
		happen_ready();
		break;
	case VM_EV_RESUMED:
		happen_resume();
		break;
	case VM_EV_PAUSED:
		happen_pause();
		break;
	case VM_EV_REFUSED:
		happen_refused();
		break;
	case VM_EV_LOST:
		happen_lost();
		break;
	case VM_EV_TIMEOUT:
		happen_timeout();
		break;
	case VM_EV_HUNG:
		happen_hung();
		break;
	case VM_EV_EMPTY:
		happen_empty();
		break;
	case VM_EV_UNFIT:
		unfit(DIAG_HUGE_SHORT);
		break;
	default:
		end_process(STATUS_OK);
	}
}

/* A change of state is an event, and nothing else is one, but that a stop becomes a kill. */
static void assert_happened(const struct cell *cell, const char *before, const char *after)
{
	bool expected = strcmp(before, after) != 0 ||
			(cell->state == VM_STOPPING && cell->event == VM_EV_KILL);
	char line[64];

	str_format(line, sizeof(line), "vm demo %s %s\n", after, before);
	if (expected != (strstr(happened, expected ? line : "vm demo ") != NULL))
		fail_msg("from %s to %s, but it has happened:\n%s", before, after, happened);
}

static void test_cell(void **state)
{
	const struct cell *cell = *state;
	const char *refusal = NULL;
	const char *before;
	pid_t pid;

	grouped = cell->event == VM_EV_EMPTY;
	go(cell->state);
	before = vm_look(0).state;
	pid = theirs.pid;
	if (cell->event <= VM_EV_RESET)
		refusal = command(cell->event);
	else
		happen(cell->event);
	assert_state(cell->to ? cell->to : before);
	assert_happened(cell, before, vm_look(0).state);
	if (cell->refusal && !refusal)
		fail_msg("it was not refused");
	if (!cell->refusal && refusal)
		fail_msg("refused: %s", refusal);
	assert_int_equal(killed, cell->kills ? pid : 0);
	if (cell->event != VM_EV_ENDED && cell->event != VM_EV_LOST && theirs.pid == pid &&
	    pid > 0) {
		const char *words = told();

		if (cell->tells[0] ? !strstr(words, cell->tells) : words[0] != '\0')
			fail_msg("QEMU was told \"%s\"", words);
	}
}

int main(void)
{
	static const char *const state_name[] = { "invalid", "stopped", "starting", "prelaunch",
						  "running", "paused",	"stopping", "stuck",
						  "backoff", "failed" };
	static const char *const event_name[] = { "start",  "stop",    "kill", "restart", "pause",
						  "resume", "reset",   "exec", "ready",	  "resumed",
						  "paused", "refused", "lost", "hung",	  "timeout",
						  "ended",  "empty",   "unfit" };
	static struct CMUnitTest tests[ARRAY_SIZE(cells)];
	static char titles[ARRAY_SIZE(cells)][40];

	for (size_t n = 0; n < ARRAY_SIZE(cells); n++) {
		str_format(titles[n], sizeof(titles[n]), "%s x %s", state_name[cells[n].state],
			   event_name[cells[n].event]);
		tests[n] = FIXTURE(titles[n], test_cell, story_begin, story_end, &cells[n]);
	}
	return cmocka_run_group_tests_name("vm_table", tests, NULL, NULL);
}
