package sqlframe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame/transform"
)

// macros are ours, by the names that Grafana gave them.
var macros = map[string]func(e *expansion, args []string) (string, error){
	"__time":                (*expansion).time,
	"__timeEpoch":           (*expansion).timeEpoch,
	"__timeFilter":          (*expansion).timeFilter,
	"__timeFrom":            func(e *expansion, a []string) (string, error) { return none(e.literal(e.TimeRange.From), a) },
	"__timeTo":              func(e *expansion, a []string) (string, error) { return none(e.literal(e.TimeRange.To), a) },
	"__timeGroup":           (*expansion).timeGroup,
	"__timeGroupAlias":      func(e *expansion, a []string) (string, error) { return alias(e.timeGroup(a)) },
	"__unixEpochFilter":     (*expansion).unixEpochFilter,
	"__unixEpochFrom":       func(e *expansion, a []string) (string, error) { return none(decimal(e.TimeRange.From.Unix()), a) },
	"__unixEpochTo":         func(e *expansion, a []string) (string, error) { return none(decimal(e.TimeRange.To.Unix()), a) },
	"__unixEpochNanoFilter": (*expansion).unixEpochNanoFilter,
	"__unixEpochNanoFrom":   func(e *expansion, a []string) (string, error) { return none(decimal(e.TimeRange.From.UnixNano()), a) },
	"__unixEpochNanoTo":     func(e *expansion, a []string) (string, error) { return none(decimal(e.TimeRange.To.UnixNano()), a) },
	"__unixEpochGroup":      (*expansion).unixEpochGroup,
	"__unixEpochGroupAlias": func(e *expansion, a []string) (string, error) { return alias(e.unixEpochGroup(a)) },
	"__interval":            func(e *expansion, a []string) (string, error) { return none(intervalText(e.Interval), a) },
	"__interval_ms": func(e *expansion, a []string) (string, error) {
		return none(decimal(max(1, e.Interval.Milliseconds())), a)
	},
}

func (e *expansion) time(args []string) (string, error) {
	if e.dialect == MySQL {
		return e.timeEpoch(args)
	}
	return one(args, func(column string) string { return column + ` AS "time"` })
}

func (e *expansion) timeEpoch(args []string) (string, error) {
	name := `"time"`
	if e.dialect == MySQL {
		name = "time_sec"
	}
	return one(args, func(column string) string { return e.epoch(column) + " AS " + name })
}

// epoch is a column of times as Unix seconds.
func (e *expansion) epoch(column string) string {
	switch e.dialect {
	case MySQL:
		return "UNIX_TIMESTAMP(" + column + ")"
	case SQLite:
		return "unixepoch(" + column + ", 'auto')"
	case SQLServer:
		return "DATEDIFF_BIG(second, '1970-01-01', " + column + ")"
	case ClickHouse:
		return "toUnixTimestamp(" + column + ")"
	}
	return "extract(epoch from " + column + ")"
}

func (e *expansion) timeFilter(args []string) (string, error) {
	return one(args, func(column string) string {
		if e.dialect == SQLite {
			return fmt.Sprintf("unixepoch(%s, 'auto', 'subsec') BETWEEN %s AND %s", column, seconds(e.TimeRange.From), seconds(e.TimeRange.To))
		}
		return fmt.Sprintf("%s BETWEEN %s AND %s", operand(column), e.literal(e.TimeRange.From), e.literal(e.TimeRange.To))
	})
}

// literal writes a time so that it compares with a column of times; in SQLite,
// of texts as its datetime function writes them.
func (e *expansion) literal(t time.Time) string {
	switch t = t.UTC().Truncate(time.Millisecond); {
	case e.dialect == MySQL && t.Before(time.Unix(0, 0)):
		return "DATE_ADD(FROM_UNIXTIME(0), INTERVAL " + seconds(t) + " SECOND)"
	case e.dialect == MySQL:
		return "FROM_UNIXTIME(" + seconds(t) + ")"
	case e.dialect == SQLite:
		return t.Format("'2006-01-02 15:04:05.999'")
	case e.dialect == ClickHouse:
		return t.Format("toDateTime64('2006-01-02 15:04:05.000', 3, 'UTC')")
	default:
		return t.Format("'2006-01-02T15:04:05.999Z'")
	}
}

// timeGroup is Unix seconds in all dialects but TimescaleDB.
func (e *expansion) timeGroup(args []string) (string, error) {
	interval, err := e.group(args)
	if err != nil {
		return "", err
	}
	if e.dialect == TimescaleDB {
		return fmt.Sprintf("time_bucket('%.3fs', %s)", interval.Seconds(), args[0]), nil
	}
	return e.roundedDown(e.epoch(args[0]), interval), nil
}

func (e *expansion) unixEpochGroup(args []string) (string, error) {
	interval, err := e.group(args)
	if err != nil {
		return "", err
	}
	return e.roundedDown(operand(args[0]), interval), nil
}

func (e *expansion) roundedDown(column string, interval time.Duration) string {
	size := strconv.FormatFloat(interval.Seconds(), 'f', -1, 64)
	divisor := size
	if !strings.Contains(size, ".") {
		divisor += ".0" // else the division is one of integers
	}
	if e.dialect == SQLite {
		return fmt.Sprintf("CAST(floor(%s / %s) AS INTEGER) * %s", column, divisor, size)
	}
	return fmt.Sprintf("floor(%s / %s) * %s", column, divisor, size)
}

// group reads the interval and the fill of a grouping macro.
func (e *expansion) group(args []string) (time.Duration, error) {
	if len(args) != 2 && len(args) != 3 || args[0] == "" {
		return 0, fmt.Errorf("wants a column, an interval and perhaps a fill, got %d arguments", len(args))
	}
	interval, err := ParseInterval(strings.Trim(args[1], `'"`))
	if err != nil || len(args) == 2 {
		return interval, err
	}
	fill, err := parseFill(strings.Trim(args[2], `'"`))
	if err == nil {
		e.even = spacing{fill, interval}
	}
	return interval, err
}

func parseFill(text string) (transform.Fill, error) {
	switch strings.ToLower(text) {
	case "null":
		return transform.Fill{Mode: transform.FillNull}, nil
	case "previous":
		return transform.Fill{Mode: transform.FillPrevious}, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return transform.Fill{}, fmt.Errorf("fill %q is neither NULL, previous nor a number", text)
	}
	return transform.Fill{Mode: transform.FillValue, Value: value}, nil
}

func (e *expansion) unixEpochFilter(args []string) (string, error) {
	return one(args, func(column string) string {
		return fmt.Sprintf("%s BETWEEN %d AND %d", operand(column), e.TimeRange.From.Unix(), e.TimeRange.To.Unix())
	})
}

func (e *expansion) unixEpochNanoFilter(args []string) (string, error) {
	return one(args, func(column string) string {
		return fmt.Sprintf("%s BETWEEN %d AND %d", operand(column), e.TimeRange.From.UnixNano(), e.TimeRange.To.UnixNano())
	})
}

// term is what binds closer than any operator put beside it.
var term = regexp.MustCompile("^[\\pL\\pN_$.\"`\\[\\]]*$")

// operand puts an argument in parentheses unless it is a single name.
func operand(arg string) string {
	if term.MatchString(arg) {
		return arg
	}
	return "(" + arg + ")"
}

func one(args []string, write func(column string) string) (string, error) {
	if len(args) != 1 || args[0] == "" {
		return "", fmt.Errorf("wants one column, got %d arguments", len(args))
	}
	return write(args[0]), nil
}

func none(sql string, args []string) (string, error) {
	if len(args) > 0 {
		return "", fmt.Errorf("takes no arguments, got %d", len(args))
	}
	return sql, nil
}

func alias(sql string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return sql + ` AS "time"`, nil
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// seconds writes Unix seconds, to the millisecond.
func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

// units are the intervals' units, longest first. Months and years are those of
// the average year, as for the official SDK.
var units = []struct {
	name string
	size time.Duration
}{
	{"y", 31557600 * time.Second},
	{"M", 31557600 / 12 * time.Second},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// intervalText writes an interval in its largest whole unit up to days, as in
// "15m".
func intervalText(d time.Duration) string {
	for _, u := range units[3:] {
		if d >= u.size && d%u.size == 0 {
			return decimal(int64(d/u.size)) + u.name
		}
	}
	return decimal(max(1, d.Milliseconds())) + "ms"
}

// ParseInterval reads an interval as macros take it: a number with one of the
// units y M w d h m s ms, as in "1d".
func ParseInterval(text string) (time.Duration, error) {
	digits := strings.TrimRight(text, "yMwdhms")
	n, err := strconv.Atoi(digits)
	for _, u := range units {
		if err == nil && n > 0 && text[len(digits):] == u.name && time.Duration(n) <= maxInterval/u.size {
			return time.Duration(n) * u.size, nil
		}
	}
	return 0, fmt.Errorf("interval %q is not a number with one of the units y M w d h m s ms", text)
}

const maxInterval = 100 * 366 * 24 * time.Hour
