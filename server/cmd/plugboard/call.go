package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// resourceCall is what plugboard call does.
type resourceCall struct {
	path    string
	method  string
	body    string
	headers []string
	include bool
}

func newCall() *cobra.Command {
	var t targetFlags
	var c resourceCall
	cmd := &cobra.Command{
		Use:   "call UID PATH | call --plugin DIR PATH",
		Short: "Call a resource of a data source and print its body",
		Long: `Call makes an HTTP request of a data source's plugin: of one of its resources,
which is what its editor in Grafana talks to. Who is asked is as in plugboard
query; with --plugin, it may be an app too.

The body goes to stdout. The exit code is 1 if the plugin answers with a status
of 400 or above, 2 if the command is wrong, 3 if the server or the plugin cannot
be reached.`,
		Example: `  plugboard call seattle tables
  plugboard call seattle tables -i -H 'Accept: application/json'
  plugboard call --plugin sql --set jsonData.path=shop.db tables`,
		Args: t.takes("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.path = args[len(args)-1]
			return t.with(cmd, args, func(ctx context.Context, to target) error {
				return c.do(ctx, to, cmd.OutOrStdout())
			})
		},
	}
	cmd.ValidArgsFunction = t.complete
	t.register(cmd)
	cmd.Flags().StringVarP(&c.method, "request", "X", "", "the method (default GET, or POST with a body)")
	cmd.Flags().StringVarP(&c.body, "data", "d", "", "the body")
	cmd.Flags().StringArrayVarP(&c.headers, "header", "H", nil, `a header, as "Name: value"`)
	cmd.Flags().BoolVarP(&c.include, "include", "i", false, "print status and headers too")
	return cmd
}

func (c resourceCall) do(ctx context.Context, to target, stdout io.Writer) error {
	header, err := c.header()
	if err != nil {
		return err
	}
	response, err := to.send(ctx, c.verb(), to.resource(c.path), header, []byte(c.body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if c.include {
		fmt.Fprintf(stdout, "%s %s\r\n", response.Proto, response.Status)
		_ = response.Header.Write(stdout) // the body will find out
		fmt.Fprint(stdout, "\r\n")
	}
	if _, err := io.Copy(stdout, response.Body); err != nil {
		return failed("resource %s of %s: %w", c.path, to, err)
	}
	switch {
	case response.StatusCode == http.StatusServiceUnavailable:
		return unavailable("resource %s of %s: %s", c.path, to, response.Status)
	case response.StatusCode >= http.StatusBadRequest:
		return failed("resource %s of %s: %s", c.path, to, response.Status)
	}
	return nil
}

func (c resourceCall) verb() string {
	switch {
	case c.method != "":
		return c.method
	case c.body != "":
		return http.MethodPost
	default:
		return http.MethodGet
	}
}

func (c resourceCall) header() (http.Header, error) {
	header := http.Header{}
	for _, line := range c.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, misused(`--header is "Name: value", not %q`, line)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return header, nil
}

// resource is the path of a resource in the API.
func (t target) resource(path string) string {
	path = strings.TrimPrefix(path, "/")
	if t.isApp {
		return "/api/plugins/" + url.PathEscape(t.plugin) + "/resources/" + path
	}
	return "/api/datasources/uid/" + url.PathEscape(t.uid) + "/resources/" + path
}
