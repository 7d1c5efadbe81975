package httpclient

import "encoding/json"

// Settings are settings that New reads, for a struct of settings to embed: the
// forms that people fill in have them then. New reads them from the data
// source all the same, these or others.
type Settings struct {
	BasicAuth     bool   `json:"basicAuth" title:"Basic authentication"`
	BasicAuthUser string `json:"basicAuthUser" title:"User"`
	Password      string `secret:"basicAuthPassword" title:"Password" format:"password"`

	TLSSkipVerify     bool   `json:"tlsSkipVerify" title:"Skip verification" description:"Trust any server. Not for production."`
	TLSAuthWithCACert bool   `json:"tlsAuthWithCACert" title:"Own CA" description:"Trust servers that the CA certificate below has signed, and no others."`
	TLSAuth           bool   `json:"tlsAuth" title:"Client certificate" description:"Show the server the client certificate below."`
	ServerName        string `json:"serverName" title:"Server name" description:"What the server's certificate is for, if not for the host in its address."`
	CACert            string `secret:"tlsCACert" title:"CA certificate" description:"In PEM." format:"multiline"`
	ClientCert        string `secret:"tlsClientCert" title:"Client certificate" description:"In PEM." format:"multiline"`
	ClientKey         string `secret:"tlsClientKey" title:"Client key" description:"In PEM." format:"multiline"`

	// Timeout is a number, or one in quotes.
	Timeout       json.RawMessage `json:"timeout" title:"Timeout" description:"How many seconds an answer may take; 30 if empty." examples:"30"`
	OAuthPassThru bool            `json:"oauthPassThru" title:"Forward OAuth identity" description:"Send the token of the user who asks."`
}
