package sql

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// openMySQL connects to nothing yet.
func openMySQL(s settings) (*database, error) {
	config, err := mysqlConfig(s)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("settings of MySQL: %w", err)
	}
	// What ends queries must not wait for the connections that they hold.
	control := sql.OpenDB(connector)
	control.SetMaxIdleConns(-1)
	control.SetMaxOpenConns(4)
	return &database{
		db: sql.OpenDB(connector), dialect: sqlframe.MySQL, product: "MySQL", place: config.Addr,
		prepare: func(ctx context.Context, conn *sql.Conn) (func(), error) { return killLater(ctx, conn, control) },
		refused: refusedByMySQL, plain: plainMySQL, more: []io.Closer{control},
		statements: statements{
			version: "SELECT version()",
			tables: `SELECT IF(table_schema = DATABASE(), table_name, CONCAT(table_schema, '.', table_name))
				FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')
				ORDER BY COALESCE(table_schema <> DATABASE(), TRUE), table_schema, table_name`,
			columns: `SELECT column_name, column_type FROM information_schema.columns, (SELECT ? AS name) asked
				WHERE table_schema = DATABASE() AND table_name = name OR CONCAT(table_schema, '.', table_name) = name
				ORDER BY ordinal_position`,
			words: `SELECT IF(table_schema = DATABASE(), table_name, CONCAT(table_schema, '.', table_name)), column_name, column_type
				FROM information_schema.columns WHERE table_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')
				ORDER BY COALESCE(table_schema <> DATABASE(), TRUE), table_schema, table_name, ordinal_position`,
		},
	}, nil
}

func mysqlConfig(s settings) (*mysql.Config, error) {
	host, port, err := s.address("3306")
	if err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.Net, config.Addr = "unix", host
	if !strings.HasPrefix(host, "/") {
		config.Net, config.Addr = "tcp", net.JoinHostPort(host, port)
	}
	config.User, config.Passwd, config.DBName = s.User, s.Password, s.Database
	config.Collation = "utf8mb4_unicode_ci"
	config.ParseTime = true
	config.Timeout = connectTimeout
	config.AllowCleartextPasswords = s.AllowCleartextPasswords
	config.Logger = &mysql.NopLogger{} // its errors are returned too
	zone := s.Timezone
	if zone == "" {
		zone = "+00:00"
	}
	config.Params = map[string]string{"time_zone": sqlframe.MySQL.Literal(zone)}
	if config.TLS, err = mysqlTLS(s, host); err != nil {
		return nil, err
	}
	// As in Grafana, not to verify does not mean to insist.
	config.AllowFallbackToPlaintext = config.TLS != nil && !s.TLSAuth && !s.TLSAuthWithCACert
	return config, nil
}

// mysqlTLS is nil for no TLS.
func mysqlTLS(s settings, host string) (*tls.Config, error) {
	if !s.TLSAuth && !s.TLSAuthWithCACert && !s.TLSSkipVerify || strings.HasPrefix(host, "/") {
		return nil, nil
	}
	if !s.TLSAuth {
		s.SSLCertFile, s.SSLKeyFile, s.TLSClientCert, s.TLSClientKey = "", "", "", ""
	}
	if !s.TLSAuthWithCACert {
		s.SSLRootCertFile, s.TLSCACert = "", ""
	}
	config, err := s.tls(host)
	if err != nil {
		return nil, err
	}
	config.InsecureSkipVerify = s.TLSSkipVerify
	return config, nil
}

// killLater has the database end what the connection is doing when ctx ends:
// the driver would only hang up, which a server at work does not notice. To
// know the connection's number costs a round trip.
func killLater(ctx context.Context, conn *sql.Conn, control *sql.DB) (func(), error) {
	var number int64
	if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&number); err != nil {
		return nil, err
	}
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
		defer cancel()
		// If it fails, the query has ended, or the database cannot be told.
		_, _ = control.ExecContext(ctx, "KILL "+strconv.FormatInt(number, 10))
	})
	return func() {
		if !stop() {
			<-killed
		}
	}, nil
}

// aboutAccess are MySQL's errors that share their SQLSTATE with those about the
// query: access denied to a database or by password, no such database.
var aboutAccess = map[uint16]bool{1044: true, 1045: true, 1049: true, 1698: true}

// refusedByMySQL: SQLSTATE classes 21, 22 and 42 are about the query.
func refusedByMySQL(err error, _ string) (string, bool) {
	failure, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok || aboutAccess[failure.Number] {
		return "", false
	}
	switch string(failure.SQLState[:2]) {
	case "21", "22", "23", "42", "25":
		return fmt.Sprintf("%s, error %d", failure.Message, failure.Number), true
	}
	return "", false
}

func plainMySQL(err error) string {
	if failure, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Sprintf("%s, error %d", failure.Message, failure.Number)
	}
	if errors.Is(err, mysql.ErrNoTLS) {
		return "the server does not speak TLS (switch tlsAuth and tlsAuthWithCACert off, unless it should)"
	}
	return err.Error()
}
