// Package seccomp turns the linux.seccomp object of config.json into the
// classic BPF program that the kernel runs at every system call of a container
// (config-linux.md, "Seccomp"; seccomp(2); the kernel's
// Documentation/userspace-api/seccomp_filter.rst).
//
// The way from the profile to the program:
//
//	profile.go      which rule is for which call (condition.go, action.go, flags.go)
//	combination.go  what the rules for one call mean together (path.go, tree.go, prune.go)
//	section.go      what each architecture's numbers mean, with and without a rule
//	dispatch.go     numbers that mean the same, as ranges, and the search for one
//	graph.go        all of it as one graph of tests, in which nothing occurs twice
//	emit.go         the graph as instructions
//
// Profiles have been written against libseccomp for a decade, and what several
// rules for one call come to is known only from what libseccomp makes of them. So
// the verdicts are libseccomp's, which the tests prove by running the filters of
// both side by side. The programs are not: they are shorter, and find a call by
// halving the numbers instead of trying one after the other. On top comes what
// runc adds: calls newer than the profile get ENOSYS.
//
// Everything but [Cache] is pure: the same profile, architecture and options give
// the same program.
package seccomp

//go:generate go run generate.go
