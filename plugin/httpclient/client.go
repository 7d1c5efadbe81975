// Package httpclient makes the http.Client with which an instance talks to the
// HTTP API behind its data source or app, from the settings that people gave.
//
// It reads the keys of jsonData and secureJsonData that Grafana's own client
// reads, so that existing settings work:
//
//   - basicAuth, basicAuthUser and the secret basicAuthPassword; without them
//     the data source's user and the secret password
//   - httpHeaderName1… and the secrets httpHeaderValue1…: headers of every
//     request, Authorization: Bearer … for instance
//   - tlsAuth with the secrets tlsClientCert and tlsClientKey,
//     tlsAuthWithCACert with the secret tlsCACert, serverName, tlsSkipVerify
//   - timeout, dialTimeout, httpKeepAlive, httpTLSHandshakeTimeout,
//     httpExpectContinueTimeout, httpIdleConnTimeout: seconds;
//     httpMaxConnsPerHost, httpMaxIdleConns, httpMaxIdleConnsPerHost
//   - enableSecureSocksProxy, secureSocksProxyUsername (default the data
//     source's uid) and the secret secureSocksProxyPassword: dial through the
//     secure SOCKS proxy, if the host has one
//   - oauthPassThru: pass on the Authorization and X-Id-Token of the person who
//     asks; keepCookies: pass on the cookies of these names
//
// One key is refused, sigV4Auth: like Grafana's client, which leaves that to
// others, this one does not sign requests. One key is ours: responseLimit, the most bytes that a response may have,
// default 268435456, -1 for no limit.
package httpclient

import (
	"net"
	"net/http"

	"github.com/plugboard/plugboard/plugin"
)

// New returns the client for one instance. Wrong settings are an error that
// names the key at fault, missing certificates a warning in the log.
//
// The client keeps connections of its own: the instance's Close calls
// CloseIdleConnections, and none is left, as no call is under way then. It
// speaks HTTP/2 where the server does, and goes through the proxies of the
// environment. It may be used from many goroutines.
//
// A request made with the context of a call carries what the call has to pass
// on: the person's headers and, if the settings say so, token and cookies. It
// does not replace headers that the request or the settings have, and basic
// authentication gives way to an Authorization header on the request.
// Credentials do not follow a redirect to another host.
//
// A request that may safely be repeated (as net/http has it: GET, HEAD,
// OPTIONS, TRACE, or with an Idempotency-Key header, which may be nil) is
// tried three times in all while the connection fails or the answer is 502,
// 503 or 504.
//
// What Do returns goes through Fault, and a response that is no success
// through Refusal, before a person sees it: they say whose fault it is, and
// leave out the query string, where secrets may be. Errors from reading a
// body need neither.
//
// Requests are counted and timed in the instance's metrics, under the names
// that Grafana's own client has, and are part of the trace that the call is:
// each attempt is a span of its own.
func New[S any](s plugin.Settings[S]) (*http.Client, error) {
	o, err := readOptions(s.DataSourceSettings)
	if err != nil {
		return nil, plugin.BadRequest("settings: %w", err)
	}
	if s.Logger != nil {
		for _, warning := range o.warnings {
			s.Logger.Warn(warning)
		}
	}
	m, err := newMetrics(s.Metrics)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout:   o.timeout,
		Transport: &transport{options: o, metrics: m, next: o.newTransport()},
	}, nil
}

func (o *options) newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: o.dialTimeout, KeepAlive: o.keepAlive}
	dial := dialer.DialContext
	if o.socks != nil {
		o.socks.direct = dialer
		dial = o.socks.DialContext
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial,
		TLSClientConfig:       o.tls,
		ForceAttemptHTTP2:     true, // else a TLSClientConfig turns it off
		TLSHandshakeTimeout:   o.tlsHandshakeTimeout,
		ExpectContinueTimeout: o.expectContinueTimeout,
		MaxConnsPerHost:       o.maxConnsPerHost,
		MaxIdleConns:          o.maxIdleConns,
		MaxIdleConnsPerHost:   o.maxIdleConnsPerHost,
		IdleConnTimeout:       o.idleConnTimeout,
	}
}
