// The transit engine of HashiCorp Vault over HTTP, with its keys in memory.
//
// Requests, keys and cipher texts are the engine's own. Only what Vault's core does around it is
// here: one token instead of policies, no seal, no storage on disk.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/sdk/logical"
)

const prefix = "/v1/transit/"

type server struct {
	engine  logical.Backend
	storage logical.Storage
	token   string
}

func main() {
	storage := &logical.InmemStorage{}
	engine, err := transit.Factory(context.Background(), &logical.BackendConfig{
		StorageView: storage,
		Logger:      hclog.NewNullLogger(),
		System:      logical.TestSystemView(),
		Config:      map[string]string{},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := engine.Initialize(context.Background(), &logical.InitializationRequest{Storage: storage}); err != nil {
		log.Fatal(err)
	}
	serving := &http.Server{
		Addr:              os.Args[1],
		Handler:           &server{engine: engine, storage: storage, token: os.Getenv("TRANSIT_TOKEN")},
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(serving.ListenAndServe())
}

func (s *server) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	token := request.Header.Get("X-Vault-Token")
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		refuse(writer, http.StatusForbidden, "permission denied")
		return
	}
	path, found := strings.CutPrefix(request.URL.Path, prefix)
	if !found {
		refuse(writer, http.StatusNotFound, "no handler for route")
		return
	}
	data := map[string]interface{}{}
	if request.Method != http.MethodGet {
		if err := json.NewDecoder(request.Body).Decode(&data); err != nil {
			refuse(writer, http.StatusBadRequest, "error parsing JSON")
			return
		}
	}
	s.answer(writer, request, &logical.Request{
		Path:       path,
		Operation:  logical.ReadOperation,
		Storage:    s.storage,
		Data:       data,
		MountPoint: "transit/",
	})
}

func (s *server) answer(writer http.ResponseWriter, request *http.Request, asked *logical.Request) {
	ctx := request.Context()
	if request.Method != http.MethodGet {
		// As the core decides between the two.
		checked, exists, err := s.engine.HandleExistenceCheck(ctx, asked)
		asked.Operation = logical.UpdateOperation
		if err == nil && checked && !exists {
			asked.Operation = logical.CreateOperation
		}
	}
	response, err := s.engine.HandleRequest(ctx, asked)
	switch {
	case errors.Is(err, logical.ErrUnsupportedPath):
		refuse(writer, http.StatusNotFound, err.Error())
	case response != nil && response.IsError():
		refuse(writer, http.StatusBadRequest, response.Error().Error())
	case errors.Is(err, logical.ErrInvalidRequest):
		refuse(writer, http.StatusBadRequest, err.Error())
	case err != nil:
		refuse(writer, http.StatusInternalServerError, err.Error())
	case response == nil && asked.Operation == logical.ReadOperation:
		refuse(writer, http.StatusNotFound)
	case response == nil:
		writer.WriteHeader(http.StatusNoContent)
	default:
		send(writer, http.StatusOK, map[string]interface{}{"data": response.Data})
	}
}

func refuse(writer http.ResponseWriter, status int, texts ...string) {
	if texts == nil {
		texts = []string{}
	}
	send(writer, status, map[string]interface{}{"errors": texts})
}

func send(writer http.ResponseWriter, status int, body interface{}) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	if err := json.NewEncoder(writer).Encode(body); err != nil {
		log.Print(err)
	}
}
