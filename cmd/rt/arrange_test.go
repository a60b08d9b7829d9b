package main

import (
	"flag"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	for _, test := range []struct{ given, want string }{
		{"rt", "rt"},
		{"rt --version", "rt --version"},
		{"rt state web", "rt state -- web"},
		{"rt delete web --force", "rt delete --force -- web"},
		{"rt delete web -f", "rt delete -f -- web"},
		{"rt delete --force=false web", "rt delete --force=false -- web"},
		{"rt create web --bundle dir --no-pivot", "rt create --bundle dir --no-pivot -- web"},
		{"rt create web -bundle=dir", "rt create -bundle=dir -- web"},
		{"rt run dir/ --pid-file -f web", "rt run --pid-file -f -- dir/ web"},
		{"rt run --preserve-fds -1 web", "rt run --preserve-fds -1 -- web"},
		{"rt run -- -web -d", "rt run -- -web -d"},
		{"rt run web -- -d", "rt run -- web -d"},
		{"rt run - -d", "rt run -d -- -"},
		{"rt --root dir --debug state web -h", "rt --root dir --debug state -h -- web"},
		{"rt --root state delete web -f", "rt --root state delete -f -- web"},
		{"rt --root=dir delete web -f", "rt --root=dir delete -f -- web"},
		// The parser finds the mistake, and not by taking "--" for the value.
		{"rt create web --bundle", "rt create --bundle"},
		{"rt create web --unknown", "rt create --unknown -- web"},
		{"rt unknown web --force", "rt unknown web --force"},
		{"rt -- delete web -f", "rt -- delete web -f"},
		// The second argument of kill may look like a flag.
		{"rt kill web -9", "rt kill web -9"},
		{"rt kill --all web KILL", "rt kill --all web KILL"},
		// What follows the id is the command of exec.
		{"rt exec -t web ls -la", "rt exec --tty web ls -la"},
		{"rt exec -e A=1 --env -e -e=B=2 -d web -e", "rt exec --env A=1 --env -e --env=B=2 --detach web -e"},
		{"rt exec -x -e", "rt exec -x --env"},
		{"rt exec web -- ls -d", "rt exec web -- ls -d"},
	} {
		given := strings.Fields(test.given)
		got := arrange(newTool(nil, nil).app("rt"), given)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.given, strings.Join(got, " "), test.want)
		}
		if strings.Join(given, " ") != test.given {
			t.Errorf("%s was changed to %v", test.given, given)
		}
	}
}

// Whatever the order, the parser must see the same flags with the same values
// and the same arguments as one that reads flags and arguments mixed.
func FuzzArrange(f *testing.F) {
	for _, line := range []string{
		"run web --bundle dir -d", "run -b -d web", "run --pid-file=x -- -d web", "run web --bundle",
		"create --preserve-fds 3 - web", "kill web -9", "delete a b -f=false", "run ---x web", "run -= web",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"rt"}, strings.Split(line, " ")...)
		app := newTool(nil, nil).app("rt")
		arranged := arrange(app, args)

		at := commandAt(app, args)
		if at < 0 || app.Command(args[at]) == nil || keepsOrder(args[at]) && args[at] != execName {
			if !reflect.DeepEqual(arranged, args) {
				t.Fatalf("%q became %q", args, arranged)
			}
			return
		}
		if args[at] == execName {
			return
		}
		if !slices.Equal(arranged[:at+1], args[:at+1]) {
			t.Fatalf("the beginning of %q became %q", args, arranged)
		}
		wantFlags, wantArguments, wantError := parseMixed(args[at], args[at+1:])
		gotFlags, gotArguments, gotError := parseOnce(args[at], arranged[at+1:])
		if gotError != wantError {
			t.Fatalf("%q: error %q, want %q", args, gotError, wantError)
		}
		if wantError == "" && (!reflect.DeepEqual(gotFlags, wantFlags) || !slices.Equal(gotArguments, wantArguments)) {
			t.Fatalf("%q\n got %v %q\nwant %v %q", args, gotFlags, gotArguments, wantFlags, wantArguments)
		}
	})
}

// parseMixed parses flags and arguments in any order: whenever the parser stops
// at an argument, it is set to work again behind it.
func parseMixed(command string, args []string) (flags map[string]string, arguments []string, failure string) {
	set := flagsOf(command)
	for {
		consumed := len(args)
		if err := set.Parse(args); err != nil {
			return nil, nil, err.Error()
		}
		consumed -= set.NArg()
		if consumed > 0 && args[consumed-1] == "--" && !isValue(set, args[:consumed]) {
			return values(set), append(arguments, set.Args()...), ""
		}
		if set.NArg() == 0 {
			return values(set), arguments, ""
		}
		arguments = append(arguments, set.Arg(0))
		args = set.Args()[1:]
	}
}

// isValue reports whether the last of the parsed words is the value of the flag
// before it.
func isValue(set *flag.FlagSet, words []string) bool {
	for i := 0; i < len(words); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(words[i], "-"), "-")
		known := set.Lookup(name)
		if known == nil {
			continue
		}
		if _, isBool := known.Value.(interface{ IsBoolFlag() bool }); isBool {
			continue
		}
		i++
		if i == len(words)-1 {
			return true
		}
	}
	return false
}

func parseOnce(command string, args []string) (flags map[string]string, arguments []string, failure string) {
	set := flagsOf(command)
	if err := set.Parse(args); err != nil {
		return nil, nil, err.Error()
	}
	return values(set), set.Args(), ""
}

func flagsOf(command string) *flag.FlagSet {
	set := flag.NewFlagSet(command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, known := range newTool(nil, nil).app("rt").Command(command).Flags {
		known.Apply(set)
	}
	return set
}

func values(set *flag.FlagSet) map[string]string {
	found := map[string]string{}
	set.Visit(func(f *flag.Flag) { found[f.Name] = f.Value.String() })
	return found
}
