package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// client asks one thing of a host over and over, on a connection of its own. It
// does as little as can be: what it costs is in the figures of both hosts.
type client struct {
	conn    net.Conn
	answers *bufio.Reader
	request []byte
}

// dial connects. The connection ends with ctx.
func (h *host) dial(ctx context.Context, r request) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", h.address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &client{conn: conn, answers: bufio.NewReaderSize(conn, 256<<10), request: h.encode(r)}, nil
}

func (h *host) encode(r request) []byte {
	b := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", r.path, h.address, len(r.body))
	if r.accept != "" {
		b = fmt.Appendf(b, "Accept: %s\r\n", r.accept)
	}
	if h.token != "" {
		b = fmt.Appendf(b, "Authorization: Bearer %s\r\n", h.token)
	}
	return append(append(b, "\r\n"...), r.body...)
}

// ask makes the request and returns the size of the answer's body, which must
// be whole.
func (c *client) ask() (int64, error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	size, err := c.header()
	if err != nil {
		return 0, err
	}
	if size >= 0 {
		_, err = c.answers.Discard(size)
		return int64(size), err
	}
	return c.chunks()
}

// chunked is the size of a body that does not begin with its size.
const chunked = -1

// header reads an answer up to its body.
func (c *client) header() (size int, err error) {
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		status := string(line)
		text, _ := io.ReadAll(io.LimitReader(c.answers, int64(c.answers.Buffered())))
		return 0, fmt.Errorf("the answer is %s: %.1000s", status, text)
	}
	size = chunked
	for {
		if line, err = c.line(); err != nil || len(line) == 0 {
			return size, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(name), "Content-Length") {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
}

func (c *client) line() ([]byte, error) {
	line, err := c.answers.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// chunks passes over a body in chunks, up to the empty one at its end.
func (c *client) chunks() (size int64, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return size, err
		}
		chunk, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return size, err
		}
		if _, err := c.answers.Discard(int(chunk)); err != nil {
			return size, err
		}
		size += chunk
		if line, err = c.line(); err != nil || len(line) > 0 {
			return size, errors.Join(err, fmt.Errorf("%.20q after a chunk", line))
		}
		if chunk == 0 {
			return size, nil
		}
	}
}
