package config

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with what was given, and where it is.
type Fault struct {
	// File and Line are where to look; "" and 0 if it is no file's fault.
	File string
	Line int
	// Field is the key, as "datasources[0].access", the flag as "--listen" or
	// the variable as "PLUGBOARD_LISTEN".
	Field string
	// Problem says what is wrong and what was expected. It shows no secret.
	Problem string
}

// Error reads as "a.yaml:3: datasources[0].access: is "x", want …".
func (f Fault) Error() string {
	var text strings.Builder
	if f.File != "" {
		text.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&text, ":%d", f.Line)
		}
		text.WriteString(": ")
	}
	if f.Field != "" {
		text.WriteString(f.Field + ": ")
	}
	text.WriteString(f.Problem)
	return text.String()
}

// Faults are all that is wrong, one a line.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes each Fault findable with errors.As.
func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i, fault := range f {
		all[i] = fault
	}
	return all
}

func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
