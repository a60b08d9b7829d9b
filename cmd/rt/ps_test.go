package main

import (
	"slices"
	"testing"
)

func TestPsOptions(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{nil, []string{"-ef"}},
		{[]string{""}, []string{"-ef"}}, // what go-runc makes of no options
		{[]string{"aux"}, []string{"aux"}},
		{[]string{"-e -o pid,comm"}, []string{"-e", "-o", "pid,comm"}},
		{[]string{"-e", "-o", "pid,comm"}, []string{"-e", "-o", "pid,comm"}},
	} {
		if got := psOptions(test.args); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
}

func TestPsKeepsTheLinesOfTheContainer(t *testing.T) {
	const table = "USER   PID  PPID CMD\nroot     1     0 init 7\nroot     7     1 sh 1\nroot    17     7 sleep\n"
	for _, test := range []struct {
		table string
		pids  []int
		want  string
		fails bool
	}{
		{table, []int{7, 17}, "USER   PID  PPID CMD\nroot     7     1 sh 1\nroot    17     7 sleep\n", false},
		{table, nil, "USER   PID  PPID CMD\n", false},
		{"  PID\n    7\n", []int{7}, "  PID\n    7\n", false},
		{"COMMAND\nsh\n", []int{7}, "", true},
		{"", []int{7}, "", true},
		{"USER PID\nroot x\n", []int{7}, "", true},
	} {
		got, err := linesOf(test.table, test.pids)
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("%q, %v: %q, %v", test.table, test.pids, got, err)
		}
	}
}
