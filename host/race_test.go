//go:build race

package host_test

// raced: the race detector is in this test, and in the plugins that it turns into.
const raced = true
