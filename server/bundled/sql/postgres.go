package sql

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// How long to wait for a connection, and for a database to hear that a query
// is no longer wanted.
const (
	connectTimeout = 10 * time.Second
	cancelTimeout  = 5 * time.Second
)

// openPostgres connects to nothing yet.
func openPostgres(s settings) (*database, error) {
	config, err := postgresConfig(s)
	if err != nil {
		return nil, err
	}
	dialect := sqlframe.PostgreSQL
	if s.TimescaleDB {
		dialect = sqlframe.TimescaleDB
	}
	place := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		place = config.Host
	}
	return &database{
		db: sql.OpenDB(stdlib.GetConnector(*config)), dialect: dialect, product: "PostgreSQL", place: place,
		refused: refusedByPostgres, plain: func(err error) string { return plainPostgres(err, s) },
		statements: statements{
			version: "SHOW server_version",
			tables: `SELECT CASE WHEN table_schema = current_schema() THEN '' ELSE table_schema || '.' END || table_name
				FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
				ORDER BY table_schema <> current_schema(), table_schema, table_name`,
			columns: `SELECT column_name, data_type FROM information_schema.columns
				WHERE table_schema = current_schema() AND table_name = $1 OR table_schema || '.' || table_name = $1
				ORDER BY ordinal_position`,
			words: `SELECT CASE WHEN table_schema = current_schema() THEN '' ELSE table_schema || '.' END || table_name, column_name, data_type
				FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
				ORDER BY table_schema <> current_schema(), table_schema, table_name, ordinal_position`,
		},
	}, nil
}

func postgresConfig(s settings) (*pgx.ConnConfig, error) {
	host, port, err := s.address("5432")
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(host, "/") { // the folder of the socket, perhaps with a port
		if at := strings.LastIndexByte(host, ':'); at > 0 {
			host, port = host[:at], host[at+1:]
		} else {
			port = "5432"
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, plugin.BadRequest("settings: url: port %q is not a number up to 65535", port)
	}
	// All else is set below: nothing comes from the environment, and nothing
	// secret is in a text that an error may show.
	config, err := pgx.ParseConfig("host=localhost port=5432 user=nobody dbname=nobody sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("settings of PostgreSQL: %w", err)
	}
	config.Host, config.Port = host, uint16(number)
	config.User, config.Password, config.Database = s.User, s.Password, s.Database
	config.Fallbacks = nil
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams = map[string]string{"application_name": "plugboard"}
	if config.TLSConfig, err = postgresTLS(s, host); err != nil {
		return nil, err
	}
	// No prepared statements: a pooler in between, such as PgBouncer, may not
	// keep them.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	return config, nil
}

// postgresTLS reads sslmode as libpq does, which with require and a CA checks
// the chain. nil is no TLS.
func postgresTLS(s settings, host string) (*tls.Config, error) {
	mode := s.SSLMode
	if mode == "" {
		mode = "require"
	}
	if mode == "disable" || strings.HasPrefix(host, "/") {
		return nil, nil
	}
	config, err := s.tls(host)
	if err != nil {
		return nil, err
	}
	switch {
	case mode == "verify-full":
	case mode == "verify-ca", mode == "require" && config.RootCAs != nil:
		verifyChain(config)
	default: // require
		config.InsecureSkipVerify = true
	}
	return config, nil
}

// aboutQuery are the SQLSTATEs that blame the query: what is not supported, the
// number of rows or parameters, data, constraints, a read-only transaction,
// functions, syntax and access.
var aboutQuery = regexp.MustCompile("^(0A|21|22|23|25|2F|42|P0|08P01)")

func refusedByPostgres(err error, query string) (string, bool) {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !aboutQuery.MatchString(failure.Code) {
		return "", false
	}
	message := failure.Message
	if failure.Position > 0 {
		message += " at " + position(query, int(failure.Position))
	}
	if failure.Hint != "" {
		message += " (" + failure.Hint + ")"
	}
	return message + ", SQLSTATE " + failure.Code, true
}

// position tells a place in a query, counted in characters from 1, by line and
// column.
func position(query string, place int) string {
	line, column := 1, 1
	for _, c := range query {
		if place--; place <= 0 {
			break
		}
		if column++; c == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

// plainPostgres is what the server or the connection says.
func plainPostgres(err error, s settings) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Message + ", SQLSTATE " + failure.Code
	}
	message := err.Error()
	if failure, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		message = "cannot connect: " + innermost(failure).Error()
	}
	if strings.Contains(message, "server refused TLS") {
		message += " (set sslmode to disable, unless it should not)"
	}
	return message
}

// innermost is the cause of an error, or the first of several.
func innermost(err error) error {
	for {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			if len(e.Unwrap()) == 0 {
				return err
			}
			err = e.Unwrap()[0]
		default:
			return err
		}
	}
}
