package sqlframe

import (
	"regexp"
	"strings"
)

// kind is what a part of a query is.
type kind int

const (
	code    kind = iota // a word or one character
	quote               // a quoted text or name, quotes included
	comment             // ends in its newline or delimiter
	open                // a quote or comment that has no end
)

var (
	word      = regexp.MustCompile(`^[\pL\pN_$]+`)
	dollarTag = regexp.MustCompile(`^\$([\pL_][\pL\pN_]*)?\$`)
)

// next returns the kind and the length of what stands at the start of text,
// which is not empty and is outside quotes and comments there.
func (d Dialect) next(text string) (kind, int) {
	postgres := d == PostgreSQL || d == TimescaleDB
	switch c := text[0]; {
	case strings.HasPrefix(text, "/*"):
		return d.blockComment(text)
	case d.lineComment(text):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return comment, end + 1
		}
		return open, len(text)
	case c == '\'':
		return quoted(text, c, d == MySQL)
	case c == '"':
		return quoted(text, c, d == MySQL)
	case c == '`' && !postgres:
		return quoted(text, c, false)
	case c == '[' && d == SQLite:
		return quoted(text, ']', false)
	case postgres && (c == 'e' || c == 'E') && strings.HasPrefix(text[1:], "'"):
		k, end := quoted(text[1:], '\'', true)
		return k, end + 1
	case postgres && c == '$' && dollarTag.MatchString(text):
		tag := dollarTag.FindString(text)
		if end := strings.Index(text[len(tag):], tag); end >= 0 {
			return quote, len(tag) + end + len(tag)
		}
		return open, len(text)
	case c == '$': // perhaps a macro at its second character
		return code, 1
	}
	if w := word.FindString(text); w != "" {
		if macro := strings.Index(w, "$__"); macro > 0 {
			return code, macro
		}
		return code, len(w)
	}
	return code, 1
}

// quoted finds the end of a quote. A doubled quote within it reads as the end
// of one and the start of the next, which comes to the same.
func quoted(text string, end byte, backslash bool) (kind, int) {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && backslash:
			i++
		case text[i] == end:
			return quote, i + 1
		}
	}
	return open, len(text)
}

// lineComment tells whether a comment to the end of the line starts here.
func (d Dialect) lineComment(text string) bool {
	if d != MySQL {
		return strings.HasPrefix(text, "--")
	}
	return text[0] == '#' || text == "--" || strings.HasPrefix(text, "--") && text[2] <= ' '
}

// blockComment finds the end of a comment. PostgreSQL nests them.
func (d Dialect) blockComment(text string) (kind, int) {
	nests := d == PostgreSQL || d == TimescaleDB
	depth := 0
	for i := 0; i < len(text)-1; i++ {
		switch pair := text[i : i+2]; {
		case pair == "/*" && (depth == 0 || nests):
			depth++
			i++
		case pair == "*/":
			i++
			if depth--; depth == 0 {
				return comment, i + 1
			}
		}
	}
	return open, len(text)
}

// Literal writes a text as the database reads it, quotes included.
func (d Dialect) Literal(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "'", "''")
	if d == MySQL {
		text = strings.ReplaceAll(text, `\`, `\\`)
	}
	return "'" + text + "'"
}

// Identifier writes a name as the database reads it, quotes included. The parts
// of a qualified name, such as a schema and a table, are quoted by themselves.
func (d Dialect) Identifier(parts ...string) string {
	mark := `"`
	if d == MySQL {
		mark = "`"
	}
	quoted := make([]string, len(parts))
	for i, part := range parts {
		part = strings.ReplaceAll(part, "\x00", "")
		quoted[i] = mark + strings.ReplaceAll(part, mark, mark+mark) + mark
	}
	return strings.Join(quoted, ".")
}
