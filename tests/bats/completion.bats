# Shell completion and manual pages: what the shells themselves make of them.

load helpers
load inside

setup() {
	setup_bundle
	mkdir "$WORK/bin"
	ln -s "$RT" "$WORK/bin/rt"
	PATH=$WORK/bin:$PATH
}

teardown() { teardown_all; }

needs() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# in_bash WORD... prints what bash offers for the last word.
in_bash() {
	# shellcheck disable=SC2016
	bash --norc -u -c '
		source <(rt completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_rt
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$@"
}

offered() {
	run -0 "in_$shell" "$@"
}

in_fish() {
	# The line ends at the last word: an empty one is a blank.
	fish --no-config -c 'rt completion fish | source; complete -C "$argv"' -- "$@" | cut -f1
}

# zsh_makes EXPECTED LINE: a person types the line and the tabulator key, and it becomes what is expected.
zsh_makes() {
	# shellcheck disable=SC2016
	TERM=dumb timeout 30 zsh -f -c '
		zmodload zsh/zpty
		zpty shell zsh -f -i
		zpty -w shell "PS1= PS2= RPS1=; unsetopt prompt_sp; autoload -Uz compinit; compinit -u -D
			source <(rt completion zsh); bindkey \"^I\" complete-word; print rea\"\"dy"
		zpty -r -m shell answer "*ready*"
		zpty -w -n shell "$2"$'"'\t'"'
		zpty -r -m shell answer "*$1*"
		zpty -d shell
	' zsh "$1" "$2"
}

@test "bash completes commands, flags, values and containers" {
	args sleep 600
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	shell=bash
	offered rt cr
	assert_output create
	offered rt --log-f
	assert_output --log-format
	offered rt --log-format = j
	assert_output json
	offered rt list -f ''
	assert_output $'table\njson'
	offered rt run --pid
	assert_output $'--pidfd-socket\n--pid-file'
	offered rt kill "$id" KI
	assert_output KILL
	offered rt --root "$ROOT" state ''
	assert_output "$id"
	mkdir -p "$WORK/some where"
	cd "$WORK"
	offered rt run some
	assert_output 'some where'
}

@test "fish completes commands, flags, values and containers" {
	needs fish
	args sleep 600
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	shell=fish
	offered rt cr
	assert_output create
	offered rt --log-f
	assert_output --log-format
	offered 'rt list --format '
	assert_output $'json\ntable'
	offered "rt kill $id KI"
	assert_output KILL
	offered "rt --root $ROOT state "
	assert_output "$id"
}

@test "zsh completes commands, flags, values and containers" {
	needs zsh
	args sleep 600
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	zsh_makes 'rt create ' 'rt crea'
	zsh_makes '--format json ' 'rt list --format js'
	zsh_makes "--pid-file=" "rt run --pid-fi"
	zsh_makes "state $id " "rt --root $ROOT state ${id:0:${#id}-1}"
}

@test "no completion is made for other shells" {
	run rt completion tcsh
	assert_failure
	assert_contains 'no completion for "tcsh": a shell is bash, zsh, fish'
}

@test "every command has a manual page that man can show" {
	needs groff
	local command flag
	for command in '' $(rt help | sed -n '/^COMMANDS:/,/^$/s/^   \([a-z]*\) .*/\1/p'); do
		# shellcheck disable=SC2086 # no command is no argument
		rt man $command >"$WORK/page"
		groff -man -ww -Tutf8 -P-cbou "$WORK/page" >"$WORK/shown" 2>"$WORK/warnings"
		[[ ! -s $WORK/warnings ]]
		output=$(tr -s ' ' <"$WORK/shown") # groff makes lines equally long
		assert_contains "rt${command:+-$command} - "
		# shellcheck disable=SC2086
		for flag in $(rt $command --help | sed -n 's/^   \(--[a-z-]*\).*/\1/p'); do
			assert_contains "$flag"
		done
	done
}

@test "a manual page of no command" {
	run rt man nothing
	assert_failure
	assert_contains 'no command is called "nothing"'
}
