// Command import does nothing but import the package, to see what that costs.
package main

import _ "rt/libns/seccomp"

func main() {}
