package plugin

import (
	"encoding/json"
	"net/http"
	"time"
)

// Format is how frames are encoded on the wire.
type Format int

// Plugins built with an SDK older than v0.289.0 answer in Arrow whatever is
// asked: go by the format of the answer.
const (
	FormatArrow Format = 0 // one Arrow IPC file per frame
	FormatJSON  Format = 1 // one JSON object per frame
)

// TimeRange is what a query covers. The wire carries milliseconds.
type TimeRange struct{ From, To time.Time }

// DataQuery is one query as it travels: its model still JSON.
type DataQuery struct {
	// RefID names the query and its answer within one request.
	RefID string
	// QueryType is the model's "queryType"; some plugins route on it.
	QueryType     string
	MaxDataPoints int64
	// Interval is the wished distance between points, in whole milliseconds.
	Interval  time.Duration
	TimeRange TimeRange
	// JSON is the whole query model, refId and the like included.
	JSON []byte
}

// QueryRequest asks one data source a batch of queries.
type QueryRequest struct {
	Context Context
	// Headers are the wire's own keys: a forwarded HTTP header X-Foo travels
	// as "http_X-Foo"; see SetHeader.
	Headers map[string]string
	Queries []DataQuery
	// Format is the encoding wished for.
	Format Format
}

// QueryResponse holds the answers by ref id. A plugin may leave some out.
type QueryResponse struct {
	Responses map[string]Response
}

// Response is the answer to one query: frames, an error, or both.
type Response struct {
	// Frames are encoded in Format, and stay so until somebody needs values.
	Frames [][]byte
	Format Format
	// Error is the failure's message; empty means success.
	Error string
	// ErrorSource says whose fault an error is.
	ErrorSource ErrorSource
	// Status is an HTTP status, 200 or 500 where the plugin gave none.
	Status int
}

// Chunk is one piece of a chunked answer: a frame with some of its rows, or
// the error that ended one query.
type Chunk struct {
	RefID string
	// FrameID groups the chunks of one frame. An Arrow chunk has its schema;
	// in JSON only the first of a group has.
	FrameID string
	Frame   []byte
	Format  Format

	Error       string
	ErrorSource ErrorSource
	Status      int
}

// HealthStatus is the outcome of a health check.
type HealthStatus int

const (
	HealthUnknown HealthStatus = 0
	HealthOK      HealthStatus = 1
	HealthError   HealthStatus = 2
)

// String returns the word the HTTP API uses: UNKNOWN, OK or ERROR.
func (s HealthStatus) String() string {
	switch s {
	case HealthOK:
		return "OK"
	case HealthError:
		return "ERROR"
	default:
		return "UNKNOWN"
	}
}

// Health answers a health check.
type Health struct {
	Status HealthStatus
	// Message is for people.
	Message string
	// Details is a JSON object for programs, or empty.
	Details json.RawMessage
}

// HealthRequest asks whether a data source or app works.
type HealthRequest struct {
	Context Context
	// Headers are as in QueryRequest.
	Headers map[string]string
}

// ResourceRequest is an HTTP request to a plugin.
type ResourceRequest struct {
	Context Context
	// Path has no leading slash and no query string.
	Path string
	// URL is Path with the query string.
	URL    string
	Method string
	Header http.Header
	Body   []byte
}

// ResourceResponse is one message of a plugin's HTTP answer. The first has
// status, header and the first bytes of the body, further ones only more body.
type ResourceResponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// StreamRequest subscribes to, publishes to or runs one channel of a plugin.
type StreamRequest struct {
	Context Context
	// Path is the channel's part after the data source or plugin. It is
	// opaque: never cleaned, decoded or lower-cased on the way.
	Path string
	// Data is the subscriber's own JSON, or what is published.
	Data json.RawMessage
	// Headers are as in QueryRequest.
	Headers map[string]string
}

// StreamStatus is a plugin's answer to a subscriber or publisher.
type StreamStatus int

const (
	StreamOK               StreamStatus = 0
	StreamNotFound         StreamStatus = 1
	StreamPermissionDenied StreamStatus = 2
)

// StreamReply answers a subscription (Data is the first packet for this
// subscriber, may be empty) or a publication (Data, if any, is what all
// subscribers are to get).
type StreamReply struct {
	Status StreamStatus
	Data   json.RawMessage
}
