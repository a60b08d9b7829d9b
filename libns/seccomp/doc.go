// Package seccomp turns the linux.seccomp object of config.json into the
// classic BPF program that the kernel runs at every system call of a container
// (config-linux.md, "Seccomp"; seccomp(2); the kernel's
// Documentation/userspace-api/seccomp_filter.rst).
//
// The way from the profile to the program:
//
//	profile.go   what each rule means: which call, which conditions, which answer
//	tree.go      the conditional rules of one call, merged into one tree
//	dispatch.go  each architecture's numbers as ranges with one answer each
//	graph.go     all of it as one graph of tests, in which nothing occurs twice
//	emit.go      the graph as instructions
//
// Profiles have been written against libseccomp for a decade, and what several
// rules for one call mean together is known only from what libseccomp makes of
// them. So the verdicts here are libseccomp's, which the tests prove by running
// the filters of both side by side; the programs are not, they are shorter and
// faster. On top comes what runc adds: calls newer than the profile get ENOSYS.
//
// Everything but the cache (cache.go) is pure: the same profile, architecture
// and options give the same program.
package seccomp

//go:generate go run generate.go
