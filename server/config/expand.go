package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// expander replaces variables in the texts of provisioning files:
//
//	$__env{NAME}  ${NAME}  $NAME   the variable, empty if it is not set
//	$__file{/path}                 the file's content without space around it
//	$$                             a dollar
//
// A dollar before anything else stays. What a variable or a file holds is not
// looked at again: unlike Grafana, a password with a dollar in it survives.
type expander struct {
	lookup   func(name string) (string, bool)
	readFile func(path string) (string, error)
}

func systemExpander() expander {
	return expander{lookup: lookupVariable, readFile: readSmallFile}
}

// expand also returns the variables that it found unset.
func (e expander) expand(text string) (expanded string, unset []string, err error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), unset, nil
		}
		value, length, err := e.one(rest, &unset)
		if err != nil {
			return "", nil, err
		}
		out.WriteString(value)
		text = rest[length:]
	}
}

// one expands what follows a dollar, and says how much of it that was.
func (e expander) one(rest string, unset *[]string) (value string, length int, err error) {
	if strings.HasPrefix(rest, "$") {
		return "$", 1, nil
	}
	name := leadingName(rest)
	if strings.HasPrefix(rest[len(name):], "{") && (name == "" || strings.HasPrefix(name, "__")) {
		argument, _, closed := strings.Cut(rest[len(name)+1:], "}")
		if !closed {
			return "", 0, fmt.Errorf("has $%s{ without a }; a dollar is written $$", name)
		}
		value, err = e.call(name, strings.TrimSpace(argument), unset)
		return value, len(name) + 1 + len(argument) + 1, err
	}
	if name == "" {
		return "$", 0, nil
	}
	return e.variable(name, unset), len(name), nil
}

func (e expander) call(function, argument string, unset *[]string) (string, error) {
	if argument == "" {
		return "", fmt.Errorf("has $%s{} with nothing in it", function)
	}
	switch function {
	case "", "__env":
		return e.variable(argument, unset), nil
	case "__file":
		content, err := e.readFile(argument)
		if err != nil {
			return "", fmt.Errorf("$__file: %w", err)
		}
		return strings.TrimSpace(content), nil
	default:
		return "", fmt.Errorf("has $%s{…}, want $__env{…}, $__file{…} or ${…}; a dollar is written $$", function)
	}
}

func (e expander) variable(name string, unset *[]string) string {
	value, set := e.lookup(name)
	if !set {
		*unset = append(*unset, name)
	}
	return value
}

// leadingName is the longest name that text begins with.
func leadingName(text string) string {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		digit := '0' <= c && c <= '9'
		if !letter && (!digit || i == 0) {
			return text[:i]
		}
	}
	return text
}

// lookupVariable knows HOSTNAME even where only shells set it.
func lookupVariable(name string) (string, bool) {
	value, set := os.LookupEnv(name)
	if !set && name == "HOSTNAME" {
		hostname, err := os.Hostname()
		return hostname, err == nil
	}
	return value, set
}

const maxExpandedFile = 1 << 20

func readSmallFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxExpandedFile+1))
	if err == nil && len(content) > maxExpandedFile {
		err = errors.New(path + " is larger than 1 MiB")
	}
	return string(content), err
}
