#!/usr/bin/env bats
# process.env. What becomes of HOME is in home.bats.

setup() {
	load helpers
	load inside
	setup_bundle
	config '.process.env = ["PATH=/bin", "HOME=/"]'
	args env
}

teardown() {
	teardown_all
}

# add_env ENTRY... appends to process.env.
add_env() {
	local list
	list=$(jq -n '$ARGS.positional' --args -- "$@")
	config '.process.env += $list' --argjson list "$list"
}

@test "the program has exactly the variables of the config, in their order" {
	add_env ZULU=1 ALPHA=2 MIKE=3
	run_container
	assert_success
	assert_output $'PATH=/bin\nHOME=/\nZULU=1\nALPHA=2\nMIKE=3'
}

@test "nothing of the caller's environment reaches the program" {
	export SECRET=leaked LD_PRELOAD_TEST=leaked
	run_container
	assert_success
	assert_output $'PATH=/bin\nHOME=/'
}

@test "of duplicates the last wins, and the others keep their order" {
	add_env A=first B=2 A=second C=3 A=third
	run_container
	assert_success
	assert_equal "$(grep -c '^A=' <<<"$output")" 1
	assert_line A=third
	assert_equal "$(grep -E '^[BC]=' <<<"$output" | tr '\n' ' ')" 'B=2 C=3 '
}

@test "values may be empty, have blanks, equals signs, commas and newlines" {
	add_env EMPTY= 'BLANK=a  b ' 'EQUALS=a=b=c' 'COMMA=a,b' $'NEWLINE=a\nb' 'QUOTE="a"'
	inside 'echo "<$EMPTY><$BLANK><$EQUALS><$COMMA><$NEWLINE><$QUOTE>"'
	assert_success
	assert_output $'<><a  b ><a=b=c><a,b><a\nb><"a">'
}

@test "a value of 100,000 bytes" {
	config '.process.env += ["LONG=" + "x" * 100000]'
	inside 'echo ${#LONG}'
	assert_success
	assert_output 100000
}

@test "a thousand variables" {
	config '.process.env += [range(1000) | "V\(.)=\(.)"]'
	run_container
	assert_success
	assert_equal "${#lines[@]}" 1002
	assert_equal "${lines[1001]}" V999=999
}

@test "PATH is not added" {
	config '.process.env = ["HOME=/"]'
	args /bin/env
	run_container
	assert_success
	assert_output HOME=/
}

@test "an entry without an equals sign, without a name or with a null byte is refused" {
	add_env GOOD=1 BAD =value
	config '.process.env += ["NULL=a\u0000b"]'
	refused 'process.env[3]' BAD 'process.env[4]' 'process.env[5]'
}
