# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion for the hvinit tool: source this file.
# shellcheck shell=bash

# The names of the VMs of a manifest.
_hvinit_vms() {
	sed -n 's/^VM[0-9]*_NAME="\(..*\)"$/\1/p' "$1" 2>/dev/null
}

# What can come behind a word of 'hvinit ctl': commands of the console, or VMs.
_hvinit_console() {
	if [[ $1 == ctl ]]; then
		"${COMP_WORDS[0]}" ctl help 2>/dev/null | sed -n '/more\.$/d; s/^\([a-z]*\) .*/\1/p'
	else
		"${COMP_WORDS[0]}" ctl status 2>/dev/null | sed '1,/^VM /d; /^ /d; s/ .*//'
	fi
}

# The options of a command, or of any.
_hvinit_options() {
	case $1 in
	check) echo --host --root --files --no-machine --json --help ;;
	devices | plan | argv) echo --host --root --json --help ;;
	record) echo --host --root --kconfig --probe --help ;;
	import) echo --host --vm --help ;;
	ctl) echo --socket --help ;;
	manifest | explain | version | help) echo --help ;;
	*) echo --host --root --files --no-machine --json --vm --kconfig --probe --socket --help --version ;;
	esac
}

_hvinit() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="check plan argv devices record manifest import explain ctl version help"
	local command="" one

	for one in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ " $commands " != *" $one "* ]] || { command=$one && break; }
	done
	COMPREPLY=()
	if [[ $command == ctl && $word != -* && $before != --socket ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_hvinit_console "$before")" -- "$word")
	elif [[ $before == --root ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	elif [[ $before == --host || $before == --files ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $before == --vm ]]; then
		mapfile -t COMPREPLY < <(compgen -W "0 1 2 3 4 5 6 7" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_hvinit_options "$command")" -- "$word")
	elif [[ $before == explain ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" explain |
			sed -n 's/^### \([A-Z-]*\).*/\1/p')" -- "${word^^}")
	elif [[ -z $command || $before == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	elif [[ $command == argv && -f $before && ${COMP_WORDS[COMP_CWORD - 2]} != --host ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_hvinit_vms "$before")" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _hvinit hvinit
