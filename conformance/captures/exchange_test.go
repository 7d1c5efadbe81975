package captures

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exchange is one captured request and its answer.
type exchange struct {
	number, name string
	method, path string
	body         string
	header       http.Header
	user         string // "" for no credentials
	password     string
	answer       answer
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   string
}

const adminPassword = "captured-admin"

// readExchanges reads the files in order. The one of a web socket, which has
// another form, is left out.
func readExchanges(t *testing.T) []exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var exchanges []exchange
	for _, file := range files {
		if strings.Contains(file, "websocket") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parseExchange(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		e.number, e.name, _ = strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		exchanges = append(exchanges, e)
	}
	if len(exchanges) != 69 {
		t.Fatalf("%d exchanges, want 69", len(exchanges))
	}
	return exchanges
}

// parseExchange reads lines of the request, each after "> ", a blank line, the
// answer as on the wire, and what curl measured.
func parseExchange(text string) (exchange, error) {
	e := exchange{header: http.Header{}, user: "admin", password: adminPassword}
	request, response, ok := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	if !ok {
		return e, fmt.Errorf("no answer")
	}
	for line := range strings.SplitSeq(request, "\n") {
		line = strings.TrimPrefix(line, "> ")
		switch rest, isBody := strings.CutPrefix(line, "body: "); {
		case isBody:
			e.body = rest
		case line == "(no credentials)":
			if e.password == adminPassword {
				e.user = ""
			}
		case strings.HasPrefix(line, "curl args: "):
			e.curl(strings.TrimPrefix(line, "curl args: "))
		default:
			e.method, e.path, _ = strings.Cut(line, " ")
		}
	}
	if end := strings.LastIndex(response, "\n# curl: "); end >= 0 {
		response = response[:end]
	}
	return e, e.answer.parse(response)
}

// curl reads the arguments that curl was called with besides.
func (e *exchange) curl(arguments string) {
	for argument := range strings.SplitSeq(" "+arguments, " -") {
		flag, value, _ := strings.Cut(argument, " ")
		switch flag {
		case "H":
			name, text, _ := strings.Cut(value, ": ")
			e.header.Add(name, text)
		case "u":
			e.user, e.password, _ = strings.Cut(value, ":")
		}
	}
}

// parse reads an answer whose body is already whole.
func (a *answer) parse(text string) error {
	head, body, _ := strings.Cut(text, "\n\n")
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")), nil)
	if err != nil {
		return err
	}
	a.status, a.header, a.body = response.StatusCode, response.Header, strings.TrimSpace(body)
	return nil
}

// ask makes the request of an exchange.
func (e exchange) ask(t *testing.T, address string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), e.method, "http://"+address+e.path, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "*/*")
	for name, values := range e.header {
		req.Header[name] = values
	}
	if e.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.user != "" {
		req.SetBasicAuth(e.user, e.password)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(bytes.TrimSpace(body))}
}
