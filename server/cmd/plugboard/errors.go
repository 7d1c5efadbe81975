package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit codes; the help of the root command explains them.
const (
	codeFailed      = 1
	codeUsage       = 2
	codeUnavailable = 3
)

// failure is an error of ours with its exit code. Errors that are none come
// from cobra, about arguments and flags.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(format string, args ...any) error {
	return &failure{codeFailed, fmt.Errorf(format, args...)}
}

func misused(format string, args ...any) error {
	return &failure{codeUsage, fmt.Errorf(format, args...)}
}

func unavailable(format string, args ...any) error {
	return &failure{codeUnavailable, fmt.Errorf(format, args...)}
}

// printableLines is printable of every line: what servers and plugins say is
// not to move the cursor.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// report prints an error and returns the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "plugboard: interrupted")
		return codeFailed
	}
	fmt.Fprintln(w, "plugboard:", printableLines(err.Error()))
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	fmt.Fprintln(w, "Try 'plugboard --help'.")
	return codeUsage
}
