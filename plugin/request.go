package plugin

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// request is a request's encoding. What package proto makes of a request with
// its context costs a host as much as the rest of a small call, maps most of
// all, and needs a tree of messages first.
type request struct {
	b   []byte
	err error
}

// requestSize is more than most requests have.
const requestSize = 1 << 10

var errNotText = errors.New("encode the request: a string is not valid UTF-8")

// newRequest begins with what all requests have first.
func newRequest(c Context) request {
	r := request{b: make([]byte, 0, requestSize)}
	r.message(1, func() { r.context(c) })
	return r
}

// encoded returns what is sent.
func (r request) encoded() (mem.BufferSlice, error) {
	if r.err != nil {
		return nil, r.err
	}
	return mem.BufferSlice{mem.SliceBuffer(r.b)}, nil
}

func queryRequest(req *QueryRequest) request {
	r := newRequest(req.Context)
	r.texts(2, req.Headers)
	for _, q := range req.Queries {
		r.message(3, func() { r.query(q) })
	}
	r.integer(4, int64(req.Format))
	return r
}

func healthRequest(req *HealthRequest) request {
	r := newRequest(req.Context)
	r.texts(2, req.Headers)
	return r
}

func resourceRequest(req *ResourceRequest) request {
	r := newRequest(req.Context)
	r.text(2, req.Path)
	r.text(3, req.Method)
	r.text(4, req.URL)
	r.header(5, req.Header)
	r.bytes(6, req.Body)
	return r
}

func streamRequest(req *StreamRequest) request {
	r := newRequest(req.Context)
	r.text(2, req.Path)
	r.bytes(3, req.Data)
	r.texts(4, req.Headers)
	return r
}

// context never leaves jsonData empty: plugins in the field fail on that.
func (r *request) context(c Context) {
	r.integer(1, c.OrgID)
	r.text(2, c.PluginID)
	if u := c.User; u != nil {
		r.message(3, func() {
			r.text(1, u.Login)
			r.text(2, u.Name)
			r.text(3, u.Email)
			r.text(4, u.Role)
		})
	}
	if a := c.App; a != nil {
		r.message(4, func() {
			r.bytes(3, objectOrEmpty(a.JSON))
			r.texts(4, a.Secrets)
			r.integer(5, millis(a.Updated))
			r.text(6, a.APIVersion)
		})
	}
	if c.DataSource != nil {
		r.message(5, func() { r.dataSource(c.DataSource) })
	}
	r.texts(6, c.GrafanaConfig)
	r.text(7, c.PluginVersion)
	r.text(8, c.UserAgent)
	r.text(9, c.APIVersion)
	r.text(10, c.Namespace)
}

func (r *request) dataSource(s *DataSourceSettings) {
	r.integer(1, s.ID)
	r.text(2, s.Name)
	r.text(3, s.URL)
	r.text(4, s.User)
	r.text(5, s.Database)
	if s.BasicAuth {
		r.integer(6, 1)
	}
	r.text(7, s.BasicAuthUser)
	r.bytes(8, objectOrEmpty(s.JSON))
	r.texts(9, s.Secrets)
	r.integer(10, millis(s.Updated))
	r.text(11, s.UID)
	r.text(12, s.APIVersion)
}

func (r *request) query(q DataQuery) {
	r.text(1, q.RefID)
	r.integer(2, q.MaxDataPoints)
	r.integer(3, q.Interval.Milliseconds())
	r.message(4, func() {
		r.integer(1, millis(q.TimeRange.From))
		r.integer(2, millis(q.TimeRange.To))
	})
	r.bytes(5, objectOrEmpty(q.JSON))
	r.text(6, q.QueryType)
}

// header makes the values text: HTTP allows any bytes, the wire does not.
func (r *request) header(number protowire.Number, header http.Header) {
	for name, values := range header {
		r.message(number, func() {
			r.text(1, toText(name))
			r.message(2, func() {
				for _, value := range values {
					r.b = protowire.AppendTag(r.b, 1, protowire.BytesType)
					r.b = protowire.AppendString(r.b, toText(value))
				}
			})
		})
	}
}

func (r *request) texts(number protowire.Number, texts map[string]string) {
	for key, value := range texts {
		r.message(number, func() {
			r.text(1, key)
			r.text(2, value)
		})
	}
}

// integer, text and bytes leave out what is zero, as proto3 does.

func (r *request) integer(number protowire.Number, n int64) {
	if n != 0 {
		r.b = protowire.AppendTag(r.b, number, protowire.VarintType)
		r.b = protowire.AppendVarint(r.b, uint64(n))
	}
}

func (r *request) text(number protowire.Number, text string) {
	if text == "" {
		return
	}
	if !utf8.ValidString(text) {
		r.err = errNotText
	}
	r.b = protowire.AppendTag(r.b, number, protowire.BytesType)
	r.b = protowire.AppendString(r.b, text)
}

func (r *request) bytes(number protowire.Number, b []byte) {
	if len(b) > 0 {
		r.b = protowire.AppendTag(r.b, number, protowire.BytesType)
		r.b = protowire.AppendBytes(r.b, b)
	}
}

// message appends what f appends, as a message. Its size comes before it and
// is known after it, so it is moved if that takes more than a byte.
func (r *request) message(number protowire.Number, f func()) {
	r.b = append(protowire.AppendTag(r.b, number, protowire.BytesType), 0)
	from := len(r.b)
	f()
	size := len(r.b) - from
	if size < 0x80 {
		r.b[from-1] = byte(size)
		return
	}
	more := protowire.SizeVarint(uint64(size)) - 1
	r.b = append(r.b, "123456789"[:more]...)
	copy(r.b[from+more:], r.b[from:from+size])
	protowire.AppendVarint(r.b[:from-1], uint64(size))
}
