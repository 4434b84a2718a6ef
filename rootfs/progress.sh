# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced: shows how far a long step has come and how long it has taken, on one line that is
# rewritten on a terminal, and elsewhere with a line every half minute.

# Usage: progress_start LABEL COMMAND...   (COMMAND prints how far)
progress_start() {
	progress_loop "$@" &
	progress_job=$!
}

progress_stop() {
	kill "$progress_job"
	wait "$progress_job" 2>/dev/null || :
	[ ! -t 2 ] || printf '\033[K' >&2
}

# A background job hears no Ctrl-C: it looks every second whether the script still lives.
progress_loop() {
	local label=$1 start=$SECONDS interval=30 end='\n' elapsed
	shift
	[ ! -t 2 ] || interval=1 end='\033[K\r'
	while kill -0 $$ 2>/dev/null; do
		elapsed=$((SECONDS - start))
		if [ $((elapsed % interval)) -eq 0 ]; then
			printf "hvinit: %s: %s, %d s$end" "$label" "$("$@")" "$elapsed" >&2
		fi
		sleep 1
	done
}
