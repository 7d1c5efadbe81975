package main

import "golang.org/x/sys/unix"

// shield keeps other processes of the same user, plugins among them, from
// reading this one's environment and memory, also where the kernel has nothing
// else to keep them from it. Secrets of all data sources are in there.
func shield() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
