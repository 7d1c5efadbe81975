package httpclient

import "encoding/json"

// Settings are settings that New reads, for a struct of settings to embed: the
// forms that people fill in have them then. New reads them from the data
// source all the same, these or others.
type Settings struct {
	BasicAuth     bool   `json:"basicAuth" title:"Send user and password" group:"Basic authentication"`
	BasicAuthUser string `json:"basicAuthUser" title:"User" group:"Basic authentication"`
	Password      string `secret:"basicAuthPassword" title:"Password" format:"password" group:"Basic authentication"`

	TLSSkipVerify     bool   `json:"tlsSkipVerify" title:"Skip verification" description:"Trust any server. Not for production." group:"TLS"`
	TLSAuthWithCACert bool   `json:"tlsAuthWithCACert" title:"Own CA" description:"Trust servers that the CA certificate below has signed, and no others." group:"TLS"`
	TLSAuth           bool   `json:"tlsAuth" title:"Client certificate" description:"Show the server the client certificate below." group:"TLS"`
	ServerName        string `json:"serverName" title:"Server name" description:"What the server's certificate is for, if not for the host in its address." group:"TLS"`
	CACert            string `secret:"tlsCACert" title:"CA certificate" description:"In PEM." format:"multiline" group:"TLS"`
	ClientCert        string `secret:"tlsClientCert" title:"Client certificate" description:"In PEM." format:"multiline" group:"TLS"`
	ClientKey         string `secret:"tlsClientKey" title:"Client key" description:"In PEM." format:"multiline" group:"TLS"`

	// Timeout is a number, or one in quotes.
	Timeout       json.RawMessage `json:"timeout" title:"Timeout" description:"How many seconds an answer may take; 30 if empty." examples:"30" group:"Requests"`
	OAuthPassThru bool            `json:"oauthPassThru" title:"Forward OAuth identity" description:"Send the token of the user who asks." group:"Requests"`
}
