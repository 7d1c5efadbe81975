package sqlframe

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame/transform"
)

// Macro writes the SQL that stands for one use of it. Its arguments are SQL:
// their macros are expanded, they have no comments, and their quotes and
// parentheses are closed, so that none can reach beyond the place it is put in.
// What is not SQL yet, Dialect.Literal and Dialect.Identifier make so. Used
// within quotes, what it writes is quoted once more.
type Macro func(q Query, args []string) (string, error)

// Expand replaces the macros of a query.
//
// A macro is $__name or $__name(argument, …). Arguments may hold parentheses,
// quotes and macros. What is in comments is left alone; in quotes, only known
// macros are expanded, and the quotes in what they write are doubled, so that
// no value ends the quote that it is put in. These are known:
//
//	$__time(column)                     the column, named "time"; in MySQL as Unix seconds named "time_sec"
//	$__timeEpoch(column)                the same, always as Unix seconds
//	$__timeFilter(column)               that the column's time is in the query's time range
//	$__timeFrom() $__timeTo()           the ends of the time range
//	$__timeGroup(column, 5m, fill)      the column's time, rounded down to the interval
//	$__timeGroupAlias(column, 5m, fill) the same, named "time"
//	$__unixEpochFilter(column)          that the column, Unix seconds, is in the time range
//	$__unixEpochFrom() $__unixEpochTo() its ends as Unix seconds
//	$__unixEpochNanoFilter(column), $__unixEpochNanoFrom(), $__unixEpochNanoTo()
//	                                    the same in nanoseconds
//	$__unixEpochGroup(column, 5m, fill), $__unixEpochGroupAlias(column, 5m, fill)
//	                                    a column of Unix seconds, rounded down
//	$__interval                         the query's interval, such as 5m
//	$__interval_ms                      the same in milliseconds
//
// An interval is a number with a unit (ms s m h d w M y), in quotes or without.
// The optional fill is NULL, previous or a number: in a time series, what to
// put into intervals that have no row.
func (r Reader) Expand(q Query) (string, error) {
	expanded, _, err := r.expand(q)
	return expanded, err
}

// spacing is what a macro's fill asks for. The zero spacing asks for nothing.
type spacing struct {
	fill     transform.Fill
	interval time.Duration
}

// expansion is one query being expanded.
type expansion struct {
	Query
	dialect Dialect
	more    map[string]Macro
	even    spacing
	left    int // macros that may still be used
}

// maxMacros bounds how many macros one query may use, so that nesting them
// does not make the query grow without end.
const maxMacros = 1000

func (r Reader) expand(q Query) (string, spacing, error) {
	e := &expansion{Query: q, dialect: r.Dialect, more: r.Macros, left: maxMacros}
	expanded, err := e.code(q.SQL)
	return expanded, e.even, err
}

// use is the start of a macro.
var use = regexp.MustCompile(`^\$(__\w+)`)

// code expands text that is outside quotes and comments at its start.
func (e *expansion) code(text string) (string, error) {
	b := make([]byte, 0, 2*len(text))
	for text != "" {
		if name := use.FindStringSubmatch(text); name != nil {
			sql, rest, err := e.macro(name[1], text[len(name[0]):])
			if err != nil {
				return "", err
			}
			if b = join(b, sql); rest != "" && fuses(b, rest) {
				b = append(b, ' ')
			}
			text = rest
			continue
		}
		kind, end := e.dialect.next(text)
		part := text[:end]
		if kind == quote {
			var err error
			if part, err = e.quoted(part); err != nil {
				return "", err
			}
		}
		b = append(b, part...)
		text = text[end:]
	}
	return string(b), nil
}

// join appends what a macro wrote, apart from what stands before it where the
// two would read as one: as a comment, or as one quote.
func join(b []byte, sql string) []byte {
	if sql != "" && fuses(b, sql) {
		b = append(b, ' ')
	}
	return append(b, sql...)
}

// fuses tells whether b and text read otherwise side by side than apart: a
// quote that doubles another or gets a prefix, the start or end of a comment,
// and a dollar that continues a word.
func fuses(b []byte, text string) bool {
	if len(b) == 0 {
		return false
	}
	switch last, first := b[len(b)-1], text[0]; first {
	case '-', '*', '/':
		return last == '-' || last == '/'
	case '\'', '"', '`', ']', '[', '$':
		return strings.IndexByte(" \t\n(,=<>+.;", last) < 0
	}
	return false
}

// quoted expands the known macros of a text with its quotes. What they write is
// quoted as the text is.
func (e *expansion) quoted(text string) (string, error) {
	var b strings.Builder
	whole := text
	for text != "" {
		name := use.FindStringSubmatch(text)
		if name == nil || !e.knows(name[1]) {
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		after := text[len(name[0]):]
		sql, rest, err := e.macro(name[1], after)
		if err != nil {
			return "", err
		}
		arguments := after[:len(after)-len(rest)]
		written, ok := e.dialect.requote(whole, sql)
		if !ok || e.dialect.backslash(whole) && strings.Contains(arguments, `\`) {
			return "", fmt.Errorf("macro $%s cannot be used within the quotes of %.20q", name[1], whole)
		}
		b.WriteString(written)
		text = rest
	}
	return b.String(), nil
}

func (e *expansion) knows(name string) bool {
	return e.more[name] != nil || macros[name] != nil
}

// macro expands the use of one macro, whose arguments are at the start of text,
// and returns what follows them.
func (e *expansion) macro(name, text string) (sql, rest string, err error) {
	if e.left--; e.left < 0 {
		return "", "", fmt.Errorf("more than %d macros in one query", maxMacros)
	}
	if !e.knows(name) {
		known := slices.Sorted(maps.Keys(macros))
		known = slices.AppendSeq(known, maps.Keys(e.more))
		return "", "", fmt.Errorf("no macro $%s, only $%s", name, strings.Join(known, ", $"))
	}
	args, rest, err := e.dialect.arguments(text)
	for i := 0; i < len(args) && err == nil; i++ {
		args[i], err = e.code(args[i])
	}
	if err == nil {
		sql, err = e.call(name, args)
	}
	if err != nil {
		return "", "", fmt.Errorf("macro $%s: %w", name, err)
	}
	return sql, rest, nil
}

func (e *expansion) call(name string, args []string) (string, error) {
	if m := e.more[name]; m != nil {
		return m(e.Query, args)
	}
	return macros[name](e, args)
}

// arguments reads "(a, b)" at the start of text and returns what follows it.
// Without a parenthesis there are none. Comments become spaces.
func (d Dialect) arguments(text string) (args []string, rest string, err error) {
	if !strings.HasPrefix(text, "(") {
		return nil, text, nil
	}
	var arg strings.Builder
	rest, depth := text[1:], 1
	for rest != "" {
		kind, end := d.next(rest)
		part := rest[:end]
		rest = rest[end:]
		switch {
		case kind == open:
			return nil, "", fmt.Errorf("the quote or comment at %.20q is not closed", part)
		case kind == comment:
			part = " "
		case kind == quote:
		case part == "(":
			depth++
		case part == ";":
			return nil, "", errors.New("a semicolon in its arguments")
		case part == "," && depth == 1:
			args = append(args, strings.TrimSpace(arg.String()))
			arg.Reset()
			continue
		case part == ")":
			if depth--; depth > 0 {
				break
			}
			if last := strings.TrimSpace(arg.String()); last != "" || len(args) > 0 {
				args = append(args, last)
			}
			return args, rest, nil
		}
		arg.WriteString(part)
	}
	return nil, "", errors.New("its parenthesis is not closed")
}
