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
	switch c := text[0]; {
	case strings.HasPrefix(text, "/*"):
		return d.blockComment(text)
	case d.lineComment(text):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return comment, end + 1
		}
		return open, len(text)
	case c == '\'', c == '"', c == '`' && !d.postgres():
		return quoted(text, c, d.backslash(text))
	case c == '[' && (d == SQLite || d == SQLServer):
		return quoted(text, ']', false)
	case d.backslash(text): // PostgreSQL's E''
		k, end := quoted(text[1:], '\'', true)
		return k, end + 1
	case c == '$' && (d.postgres() || d == ClickHouse) && dollarTag.MatchString(text):
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

func (d Dialect) postgres() bool { return d == PostgreSQL || d == TimescaleDB }

// backslash tells whether backslashes escape in the quote that text starts with.
func (d Dialect) backslash(text string) bool {
	switch c := text[0]; d {
	case MySQL:
		return c == '\'' || c == '"'
	case ClickHouse:
		return c == '\'' || c == '"' || c == '`'
	case PostgreSQL, TimescaleDB:
		return (c == 'e' || c == 'E') && strings.HasPrefix(text[1:], "'")
	}
	return false
}

// requote writes text so that it can stand within a quote, given with its
// quotes, and not end it. It fails where the quote knows no way.
func (d Dialect) requote(within, text string) (string, bool) {
	end := within[len(within)-1:]
	switch {
	case end == "$":
		return text, !strings.Contains(text, "$")
	case end == "]" && d == SQLite:
		return text, !strings.Contains(text, "]")
	case d.backslash(within):
		text = strings.ReplaceAll(text, `\`, `\\`)
	}
	return strings.ReplaceAll(text, end, end+end), true
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
	switch dashes := strings.HasPrefix(text, "--"); d {
	case MySQL:
		return text[0] == '#' || text == "--" || dashes && text[2] <= ' '
	case ClickHouse:
		return dashes || strings.HasPrefix(text, "//") || strings.HasPrefix(text, "# ") || strings.HasPrefix(text, "#!")
	default:
		return dashes
	}
}

// blockComment finds the end of a comment. MySQL and SQLite do not nest them.
func (d Dialect) blockComment(text string) (kind, int) {
	nests := d != MySQL && d != SQLite
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

// Literal writes a text as the database reads it, quotes included. Whatever the
// text is and the database's settings are, it does not end its quotes. (In MySQL
// with NO_BACKSLASH_ESCAPES, backslashes come out doubled.)
func (d Dialect) Literal(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "'", "''")
	escaped := strings.ReplaceAll(text, `\`, `\\`)
	switch {
	case d == SQLServer:
		return "N'" + text + "'"
	case d == MySQL || d == ClickHouse:
		text = escaped
	case d.postgres() && escaped != text: // safe without standard_conforming_strings, too
		return " E'" + escaped + "'"
	}
	return "'" + text + "'"
}

// Identifier writes a name as the database reads it, quotes included. The parts
// of a qualified name, such as a schema and a table, are quoted by themselves.
func (d Dialect) Identifier(parts ...string) string {
	before, after := `"`, `"`
	switch d {
	case MySQL, ClickHouse:
		before, after = "`", "`"
	case SQLServer:
		before, after = "[", "]"
	}
	quoted := make([]string, len(parts))
	for i, part := range parts {
		part = strings.ReplaceAll(part, "\x00", "")
		if d == ClickHouse {
			part = strings.ReplaceAll(part, `\`, `\\`)
		}
		quoted[i] = before + strings.ReplaceAll(part, after, after+after) + after
	}
	return strings.Join(quoted, ".")
}
