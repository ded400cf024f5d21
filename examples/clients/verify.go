// Asks a Keyward verifier about the access key in an `Authorization` header, read from standard input.
//
// Prints who it is and ends with 0. Ends with 1 where the key is not good, and with 2 where nobody can tell: let nobody
// in then, either.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Verdict has what this program reads of one.
type Verdict struct {
	Valid   bool   `json:"valid"`
	Code    string `json:"code"`
	Subject string `json:"subject"`
}

var client = http.Client{Timeout: 2 * time.Second}

func verify(url, token string) (verdict Verdict, err error) {
	question, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		return verdict, err
	}
	answer, err := client.Post(url+"/v1/verify", "application/json", bytes.NewReader(question))
	if err != nil {
		return verdict, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return verdict, fmt.Errorf("the verifier answers %s", answer.Status)
	}
	return verdict, json.NewDecoder(answer.Body).Decode(&verdict)
}

func main() {
	url := os.Getenv("KEYWARD_URL")
	if url == "" {
		url = "http://127.0.0.1:8470"
	}
	header, err := io.ReadAll(os.Stdin)
	if err != nil {
		end(2, "cannot tell:", err)
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(string(header)), " ")
	if !strings.EqualFold(scheme, "bearer") {
		end(1, "no access key")
	}
	verdict, err := verify(url, token)
	if err != nil {
		end(2, "cannot tell:", err)
	}
	if !verdict.Valid {
		end(1, verdict.Code)
	}
	fmt.Println(verdict.Subject)
}

func end(code int, words ...any) {
	fmt.Fprintln(os.Stderr, words...)
	os.Exit(code)
}
