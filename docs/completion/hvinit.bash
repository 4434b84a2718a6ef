# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion for the hvinit tool: source this file.
# shellcheck shell=bash

_hvinit() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="check plan argv devices manifest explain version help --root --help --version"

	COMPREPLY=()
	if [[ $before == --root ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	elif [[ $before == explain ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" explain |
			sed -n 's/^### \([A-Z-]*\).*/\1/p')" -- "${word^^}")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	elif [[ ${COMP_WORDS[1]} == argv && -f $before ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^VM[0-9]*_NAME="\(..*\)"$/\1/p' \
			"$before")" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _hvinit hvinit
