package sql

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/sqlframe"
)

// settings are the data source's. But for the first two they are Grafana's.
type settings struct {
	// Engine is sqlite (default), postgres or mysql. Data sources of Grafana's
	// types have theirs.
	Engine string `json:"engine" title:"Engine" description:"sqlite if empty." enum:"sqlite,postgres,mysql"`
	// Path is the SQLite file.
	Path string `json:"path" title:"File" description:"The SQLite file." examples:"/srv/shop.db"`

	// URL is host:port, or the path of a unix socket (for PostgreSQL, of its
	// folder).
	URL      string `json:"url" title:"Server" description:"host:port, or the path of a unix socket." examples:"localhost:5432"`
	User     string `json:"user" title:"User"`
	Database string `json:"database" title:"Database"`
	Password string `secret:"password" title:"Password" format:"password"`

	// SSLMode is PostgreSQL's disable, require (default), verify-ca or
	// verify-full.
	SSLMode string `json:"sslmode" title:"TLS mode" description:"PostgreSQL's; require if empty." enum:"disable,require,verify-ca,verify-full" group:"TLS"`
	// TLSAuth, TLSAuthWithCACert and TLSSkipVerify are MySQL's: use TLS, with
	// a certificate of ours, against a CA, or without looking.
	TLSAuth           bool `json:"tlsAuth" title:"Client certificate" description:"MySQL: show the server the client certificate below." group:"TLS"`
	TLSAuthWithCACert bool `json:"tlsAuthWithCACert" title:"Own CA" description:"MySQL: trust servers that the CA certificate below has signed." group:"TLS"`
	TLSSkipVerify     bool `json:"tlsSkipVerify" title:"Skip verification" description:"MySQL: TLS with any server. Not for production." group:"TLS"`
	// TLSConfigurationMethod is "file-content" if only the secrets count,
	// else files go before them.
	TLSConfigurationMethod string `json:"tlsConfigurationMethod" title:"Certificates" description:"file-content if only those below count; else files go before them." examples:"file-path\nfile-content" group:"TLS"`
	SSLRootCertFile        string `json:"sslRootCertFile" title:"CA certificate file" group:"TLS"`
	SSLCertFile            string `json:"sslCertFile" title:"Client certificate file" group:"TLS"`
	SSLKeyFile             string `json:"sslKeyFile" title:"Client key file" group:"TLS"`
	TLSCACert              string `secret:"tlsCACert" title:"CA certificate" description:"In PEM." format:"multiline" group:"TLS"`
	TLSClientCert          string `secret:"tlsClientCert" title:"Client certificate" description:"In PEM." format:"multiline" group:"TLS"`
	TLSClientKey           string `secret:"tlsClientKey" title:"Client key" description:"In PEM." format:"multiline" group:"TLS"`

	// TimescaleDB makes macros use time_bucket.
	TimescaleDB bool `json:"timescaledb" title:"TimescaleDB" description:"Macros use time_bucket." group:"Database"`
	// Timezone is that of MySQL's sessions; default +00:00, as times are read
	// as UTC.
	Timezone string `json:"timezone" title:"Session time zone" description:"MySQL's; +00:00 if empty." examples:"+00:00\nEurope/Amsterdam" group:"Database"`
	// AllowCleartextPasswords lets MySQL's server ask for the password itself.
	AllowCleartextPasswords bool `json:"allowCleartextPasswords" title:"Cleartext passwords" description:"Let MySQL's server ask for the password itself." group:"Database"`

	// TimeInterval is the shortest interval that macros get, such as 1m.
	TimeInterval string `json:"timeInterval" title:"Smallest interval" description:"That macros get." examples:"1m" group:"Database"`
	// RowLimit is the most rows that a query answers; default 1000000.
	RowLimit int `json:"rowLimit" title:"Row limit" description:"The most rows that a query answers; 1000000 if empty." group:"Limits"`
	// MaxOpenConns and MaxIdleConns bound the connections, ConnMaxLifetime,
	// in seconds, their age. 0 is no bound; defaults are the host's.
	MaxOpenConns     *int `json:"maxOpenConns" title:"Open connections" description:"At most; 0 is no bound." group:"Limits"`
	MaxIdleConns     *int `json:"maxIdleConns" title:"Idle connections" description:"At most." group:"Limits"`
	MaxIdleConnsAuto bool `json:"maxIdleConnsAuto" title:"As many idle as open" group:"Limits"` // as many as may be open
	ConnMaxLifetime  *int `json:"connMaxLifetime" title:"Age of connections" description:"In seconds, at most; 0 is no bound." group:"Limits"`
}

// limits are what a data source may use.
type limits struct {
	rows       int
	interval   time.Duration
	open, idle int
	age        time.Duration
}

// limits are those of the settings, or of the host's where they have none.
func (s settings) limits(host map[string]string) (limits, error) {
	number := func(own *int, key string, otherwise int) int {
		if own != nil {
			return *own
		}
		if n, err := strconv.Atoi(host[key]); err == nil {
			return n
		}
		return otherwise
	}
	l := limits{
		rows: number(nil, "GF_SQL_ROW_LIMIT", 0),
		open: number(s.MaxOpenConns, "GF_SQL_MAX_OPEN_CONNS_DEFAULT", 100),
		idle: number(s.MaxIdleConns, "GF_SQL_MAX_IDLE_CONNS_DEFAULT", 100),
		age:  time.Duration(number(s.ConnMaxLifetime, "GF_SQL_MAX_CONN_LIFETIME_SECONDS_DEFAULT", 14400)) * time.Second,
	}
	if s.RowLimit > 0 {
		l.rows = s.RowLimit
	}
	if s.MaxIdleConnsAuto {
		l.idle = l.open
	}
	if s.TimeInterval != "" {
		var err error
		if l.interval, err = sqlframe.ParseInterval(strings.TrimLeft(s.TimeInterval, "<>")); err != nil {
			return limits{}, plugin.BadRequest("settings: timeInterval: %w", err)
		}
	}
	return l, nil
}

func (l limits) apply(db *sql.DB) {
	db.SetMaxOpenConns(l.open)
	db.SetMaxIdleConns(l.idle)
	db.SetConnMaxLifetime(l.age)
}

// address reads the url. A socket has no port.
func (s settings) address(port string) (host, _ string, err error) {
	switch {
	case s.URL == "":
		return "localhost", port, nil
	case strings.Contains(s.URL, "://"), strings.Contains(s.URL, "@"): // perhaps with a password
		return "", "", plugin.BadRequest("settings: url must be host:port, without a scheme and a user")
	case strings.HasPrefix(s.URL, "/"):
		return s.URL, "", nil
	}
	host, given, err := net.SplitHostPort(s.URL)
	if err != nil { // no port, perhaps a bare IPv6 address
		return strings.Trim(s.URL, "[]"), port, nil
	}
	if _, err := strconv.ParseUint(given, 10, 16); err != nil {
		return "", "", plugin.BadRequest("settings: url: port %q is not a number up to 65535", given)
	}
	return host, given, nil
}

// tls are the certificates of the settings. Whom to trust is not decided yet;
// without a CA it is whom the system trusts.
func (s settings) tls(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if ca, err := s.certificate(s.SSLRootCertFile, s.TLSCACert); err != nil {
		return nil, err
	} else if ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, plugin.BadRequest("settings: the CA certificate is not PEM")
		}
	}
	cert, err := s.certificate(s.SSLCertFile, s.TLSClientCert)
	if err != nil {
		return nil, err
	}
	key, err := s.certificate(s.SSLKeyFile, s.TLSClientKey)
	if err != nil {
		return nil, err
	}
	switch {
	case cert == nil && key == nil:
		return config, nil
	case cert == nil || key == nil:
		return nil, plugin.BadRequest("settings: a client certificate needs its key, and the key its certificate")
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, plugin.BadRequest("settings: client certificate: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// certificate is what is in a file or, if none is named, in a secret; nil if
// there is neither.
func (s settings) certificate(file, secret string) ([]byte, error) {
	if file != "" && s.TLSConfigurationMethod != "file-content" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, plugin.BadRequest("settings: certificate: %w", err)
		}
		return text, nil
	}
	if secret == "" {
		return nil, nil
	}
	return []byte(secret), nil
}

// verifyChain checks the server's certificate against the CA, whatever name is
// in it.
func verifyChain(config *tls.Config) {
	config.InsecureSkipVerify = true // the check of the name with it
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server has no certificate")
		}
		between := x509.NewCertPool()
		for _, cert := range state.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: config.RootCAs, Intermediates: between})
		return err
	}
}
