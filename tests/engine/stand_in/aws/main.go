// Command pulumi-resource-aws is a stand-in for the AWS provider: the same protocol, an
// account that is a JSON file, and no network. Under other names it stands in for the random,
// Kubernetes and EKS providers. See README.md.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// versions of the plugins that this program stands in for, by the name under which it is started.
var versions = map[string]string{"aws": "7.51.1", "kubernetes": "4.34.2", "eks": "4.4.0", "random": "4.18.4"}

var part = strings.TrimPrefix(filepath.Base(os.Args[0]), "pulumi-resource-")

var version = envOr("FAKE_AWS_VERSION", versions[part])

func (c cloud) hash(seed string, n int) string {
	sum := sha256.Sum256([]byte(c.account + c.region + seed))
	return hex.EncodeToString(sum[:])[:n]
}

type provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	cloud   cloud
	engine  *grpc.ClientConn // the engine that started this process; Construct calls back
	mutable bool             // Kubernetes: ConfigMaps and Secrets change in place
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "seed" {
		if err := seed(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "seed:", err)
			os.Exit(1)
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	const most = 400 << 20
	server := grpc.NewServer(grpc.MaxRecvMsgSize(most), grpc.MaxSendMsgSize(most), grpc.UnaryInterceptor(logged))
	p := &provider{cloud: baseCloud()}
	pulumirpc.RegisterResourceProviderServer(server, p)
	if len(os.Args) > 1 && strings.Contains(os.Args[1], ":") {
		if p.engine, err = grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go leaveWith(os.Args[1])
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inFlight counts the calls in progress.
var inFlight atomic.Int64

// leaveWith ends the process after the engine at addr has gone: not in the middle of a call,
// because AWS too finishes what it was asked for.
func leaveWith(addr string) {
	for missed := 0; missed < 2 || inFlight.Load() > 0; time.Sleep(500 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			missed++
			continue
		}
		missed = 0
		conn.Close()
	}
	os.Exit(0)
}

func baseCloud() cloud {
	region := envOr("AWS_REGION", envOr("AWS_DEFAULT_REGION", envOr("FAKE_AWS_REGION", "us-east-1")))
	return cloud{account: envOr("FAKE_AWS_ACCOUNT", "123456789012"), region: region, partition: "aws"}
}

// logged writes every call to the log.
func logged(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	start := time.Now()
	inFlight.Add(1)
	defer inFlight.Add(-1)
	method := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
	preview := false
	if r, ok := req.(interface{ GetPreview() bool }); ok {
		preview = r.GetPreview()
	}
	urn := ""
	if r, ok := req.(interface{ GetUrn() string }); ok {
		urn = r.GetUrn()
	}
	if (method == "Create" || method == "Update" || method == "Delete") && !preview {
		logCall(map[string]any{"begin": method, "urn": urn, "type": typeOf(urn), "name": nameOf(urn)})
	}
	resp, err := next(ctx, req)
	entry := map[string]any{"method": method, "ms": time.Since(start).Milliseconds(), "plugin": part}
	if urn != "" {
		entry["urn"], entry["type"], entry["name"] = urn, typeOf(urn), nameOf(urn)
	}
	if r, ok := req.(*pulumirpc.ConstructRequest); ok {
		entry["type"], entry["name"] = r.GetType(), r.GetName()
	}
	if r, ok := req.(interface{ GetId() string }); ok && r.GetId() != "" {
		entry["id"] = r.GetId()
	}
	if r, ok := resp.(interface{ GetId() string }); ok && err == nil && r.GetId() != "" {
		entry["id"] = r.GetId()
	}
	if preview {
		entry["preview"] = true
	}
	if r, ok := req.(interface{ GetTok() string }); ok {
		entry["tok"] = r.GetTok()
	}
	if err != nil {
		entry["error"] = status.Convert(err).Message()
	}
	logCall(entry)
	return resp, err
}

// typeOf and nameOf read "urn:pulumi:stack::project::parent$type::name".
func typeOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

func nameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

func (p *provider) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	component := part == "eks" // it gets resources as such, not their ids
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: component, AcceptOutputs: component}, nil
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (p *provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: schema()}, nil
}

func (p *provider) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (p *provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

func (p *provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := unmarshal(firstOf(req.GetOldInputs(), req.GetOlds()))
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	return compare(olds, news, map[string]bool{}), nil
}

func (p *provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args := map[string]any{}
	for k, v := range req.GetVariables() {
		args[strings.TrimPrefix(k, "aws:config:")] = v
	}
	if req.GetArgs() != nil {
		props, err := unmarshal(req.GetArgs())
		if err != nil {
			return nil, err
		}
		for k, v := range plainMap(props) {
			args[k] = v
		}
	}
	p.mutable = kubeMutable(args)
	if region, ok := args["region"].(string); ok && region != "" && region != plugin.UnknownStringValue {
		p.cloud.region = region
	}
	if strings.HasPrefix(p.cloud.region, "us-gov-") {
		p.cloud.partition = "aws-us-gov"
	} else if strings.HasPrefix(p.cloud.region, "cn-") {
		p.cloud.partition = "aws-cn"
	}
	tags := args["defaultTags"]
	if text, ok := tags.(string); ok {
		_ = json.Unmarshal([]byte(text), &tags)
	}
	p.cloud.defaultTags, _ = dig(tags, "tags").(map[string]any)
	component := part == "eks"
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true, AcceptResources: component, AcceptOutputs: component}, nil
}

// firstOf returns the first struct that is there.
func firstOf(structs ...*structpb.Struct) *structpb.Struct {
	for _, s := range structs {
		if s != nil {
			return s
		}
	}
	return nil
}

var keepAll = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true}

func unmarshal(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, keepAll)
}

func marshal(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, keepAll)
}

// unknown stands in plain values for what is known only after the update.
type unknown struct{}

// plain takes secrets off and turns property values into maps, lists and scalars.
func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsComputed():
		return unknown{}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return unknown{}
		}
		return plain(v.OutputValue().Element)
	case v.IsArray():
		list := make([]any, 0, len(v.ArrayValue()))
		for _, x := range v.ArrayValue() {
			list = append(list, plain(x))
		}
		return list
	case v.IsObject():
		return plainMap(v.ObjectValue())
	case v.IsResourceReference():
		return string(v.ResourceReferenceValue().URN)
	case v.IsAsset(), v.IsArchive():
		return "asset"
	case v.IsNull():
		return nil
	}
	return v.V
}

func plainMap(m resource.PropertyMap) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if !strings.HasPrefix(string(k), "__") {
			out[string(k)] = plain(v)
		}
	}
	return out
}

func (p *provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	typ := typeOf(req.GetUrn())
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	if rule, ok := autoname[typ]; ok {
		prop := resource.PropertyKey(rule.prop)
		if v, set := news[prop]; (!set || v.IsNull()) && news[prop+"Prefix"].IsNull() {
			if old, had := olds[prop]; had && !old.IsComputed() {
				news[prop] = old
			} else {
				news[prop] = resource.NewProperty(autoName(req, rule))
			}
		}
	}
	if isKubernetes(typ) {
		kubeName(req, typ, news, olds)
	}
	resp := &pulumirpc.CheckResponse{}
	if prop, reason := checkInputs(typ, plainMap(news)); reason != "" {
		resp.Failures = []*pulumirpc.CheckFailure{{Property: prop, Reason: reason}}
	}
	resp.Inputs, err = marshal(news)
	return resp, err
}

func autoName(req *pulumirpc.CheckRequest, rule naming) string {
	if rule.prop == "bucket" || strings.Contains(req.GetUrn(), "aws:ecr/") || strings.Contains(req.GetUrn(), "aws:rds/") {
		return cut(strings.ToLower(nameOf(req.GetUrn())), rule.max-8) + "-" + random(req)
	}
	return cut(nameOf(req.GetUrn()), rule.max-8) + "-" + random(req)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func random(req *pulumirpc.CheckRequest) string {
	if s := req.GetRandomSeed(); len(s) > 0 {
		sum := sha256.Sum256(append([]byte(req.GetUrn()), s...))
		return hex.EncodeToString(sum[:])[:7]
	}
	return fmt.Sprintf("%07x", rand.Int31()&0xfffffff)
}

func (p *provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	typ := typeOf(req.GetUrn())
	olds, err := unmarshal(firstOf(req.GetOldInputs(), req.GetOlds()))
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	replaces := replaceKeys(typ)
	if isKubernetes(typ) {
		replaces = kubeReplaceKeys(typ, p.mutable)
		olds = kubeKept(typ, olds)
	}
	if typ == "aws:eks/cluster:Cluster" && olds["encryptionConfig"].IsNull() {
		delete(replaces, "encryptionConfig") // AWS can add encryption to a live cluster
	}
	resp := compare(answered(typ, olds), news, replaces)
	if rule, ok := autoname[typ]; ok && len(resp.Replaces) > 0 {
		prop := resource.PropertyKey(rule.prop)
		named := !strings.HasPrefix(fmt.Sprint(plain(olds[prop])), nameOf(req.GetUrn())+"-")
		resp.DeleteBeforeReplace = named && olds[prop].DeepEquals(news[prop])
	}
	if isKubernetes(typ) && len(resp.Replaces) > 0 {
		resp.DeleteBeforeReplace = kubeDeleteFirst(typ, olds, news)
	}
	return resp, nil
}

// answered is what AWS returns for inputs that it keeps in another form: the real provider compares with that.
func answered(typ string, in resource.PropertyMap) resource.PropertyMap {
	if typ != "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList" || !in["domains"].IsArray() {
		return in
	}
	out, names := in.Copy(), []resource.PropertyValue{}
	for _, v := range in["domains"].ArrayValue() {
		if v.IsString() {
			v = resource.NewProperty(strings.TrimSuffix(v.StringValue(), ".") + ".")
		}
		names = append(names, v)
	}
	out["domains"] = resource.NewProperty(names)
	return out
}

// compare makes the diff of two input maps; keys (also dotted ones) say what replaces.
func compare(olds, news resource.PropertyMap, keys map[string]bool) *pulumirpc.DiffResponse {
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}}
	diff := bare(olds).Diff(bare(news), func(k resource.PropertyKey) bool { return strings.HasPrefix(string(k), "__") })
	if diff == nil {
		return resp
	}
	resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
	seen, replaced := map[string]bool{}, map[string]bool{}
	for path, d := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		top := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' })[0]
		if !seen[top] {
			seen[top] = true
			resp.Diffs = append(resp.Diffs, top)
		}
		kind := map[plugin.DiffKind]pulumirpc.PropertyDiff_Kind{
			plugin.DiffAdd: pulumirpc.PropertyDiff_ADD, plugin.DiffAddReplace: pulumirpc.PropertyDiff_ADD,
			plugin.DiffDelete: pulumirpc.PropertyDiff_DELETE, plugin.DiffDeleteReplace: pulumirpc.PropertyDiff_DELETE,
			plugin.DiffUpdate: pulumirpc.PropertyDiff_UPDATE, plugin.DiffUpdateReplace: pulumirpc.PropertyDiff_UPDATE,
		}[d.Kind]
		if forcesReplace(path, top, keys) {
			kind++ // X_REPLACE follows X in the enumeration
			if !replaced[top] {
				replaced[top] = true
				resp.Replaces = append(resp.Replaces, top)
			}
		}
		resp.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
	}
	return resp
}

func forcesReplace(path, top string, keys map[string]bool) bool {
	if keys[top] {
		return true
	}
	for k := range keys {
		if strings.Contains(k, ".") && (path == k || strings.HasPrefix(path, k+".") || strings.HasPrefix(path, k+"[")) {
			return true
		}
	}
	return false
}

// bare takes the secret wrappers off, for comparison only.
func bare(m resource.PropertyMap) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		out[k] = bareValue(v)
	}
	return out
}

func bareValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return bareValue(v.SecretValue().Element)
	case v.IsArray():
		list := []resource.PropertyValue{}
		for _, x := range v.ArrayValue() {
			list = append(list, bareValue(x))
		}
		return resource.NewProperty(list)
	case v.IsObject():
		return resource.NewProperty(bare(v.ObjectValue()))
	}
	return v
}

// maker for one request.
func (p *provider) maker(acct *Account, urn string, in map[string]any) *maker {
	region := p.cloud.region
	if r, ok := in["region"].(string); ok && r != "" {
		region = r
	}
	return &maker{cloud: p.cloud, acct: acct, typ: typeOf(urn), urn: urn, in: in, region: region}
}

// knownInPreview: computed, but the real provider can tell them in a preview.
var knownInPreview = map[string]bool{"region": true, "tagsAll": true}

// overlay puts computed values under the inputs; in a preview they are unknown.
func overlay(in resource.PropertyMap, computed map[string]any, preview bool, secrets []string) resource.PropertyMap {
	out := in.Copy()
	for k, v := range computed {
		pk := resource.PropertyKey(k)
		value := resource.NewPropertyValue(v)
		if current, ok := out[pk]; ok && !current.IsNull() {
			inner, isMap := v.(map[string]any)
			if isMap && current.IsObject() && k != "tagsAll" && k != "tags" {
				out[pk] = resource.NewProperty(overlay(current.ObjectValue(), inner, preview, nil))
			}
			continue
		}
		if preview && !knownInPreview[k] {
			value = resource.MakeComputed(resource.NewProperty(""))
		}
		if contains(secrets, k) {
			value = resource.MakeSecret(value)
		}
		out[pk] = value
	}
	for _, k := range secrets {
		if v, ok := out[resource.PropertyKey(k)]; ok && !v.IsSecret() && !v.IsNull() {
			out[resource.PropertyKey(k)] = resource.MakeSecret(v)
		}
	}
	return out
}

// scratch is an account of its own for previews, which must not change the real one.
func scratch(acct *Account) *Account {
	copied := &Account{Serial: acct.Serial, Resources: map[string]*Record{}}
	for k, r := range acct.Resources {
		copied.Resources[k] = r
	}
	return copied
}

func (p *provider) Create(_ context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	props, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	typ := typeOf(req.GetUrn())
	in := plainMap(props)
	if req.GetPreview() {
		var out resource.PropertyMap
		err := withAccount(false, func(acct *Account) error {
			out = p.previewed(p.maker(scratch(acct), req.GetUrn(), in), props)
			return nil
		})
		if err != nil {
			return nil, err
		}
		result, err := marshal(out)
		return &pulumirpc.CreateResponse{Properties: result}, err
	}
	pause(typ, nameOf(req.GetUrn()))
	if failing("create", typ, nameOf(req.GetUrn())) {
		return nil, injected("creating", typ, req.GetUrn())
	}
	var out resource.PropertyMap
	var id string
	err = withAccount(true, func(acct *Account) error {
		m := p.maker(acct, req.GetUrn(), in)
		if err := refuse(m); err != nil {
			return err
		}
		id = m.id()
		if text, unique := conflictText[typ]; unique && acct.get(typ, id) != nil {
			return fmt.Errorf(text, id)
		}
		computed := m.outputs(id, nil)
		out = overlay(props, computed, false, typeTable()[typ].Secret)
		acct.put(&Record{Type: typ, ID: id, URN: req.GetUrn(), Inputs: in, Outputs: plainMap(out)})
		return nil
	})
	if err != nil {
		return nil, apiError("creating", typ, req.GetUrn(), err)
	}
	if failing("after-create", typ, nameOf(req.GetUrn())) {
		return nil, injected("waiting for", typ, req.GetUrn())
	}
	result, err := marshal(out)
	return &pulumirpc.CreateResponse{Id: id, Properties: result}, err
}

// previewed: the inputs, with every output-only property unknown.
func (p *provider) previewed(m *maker, props resource.PropertyMap) resource.PropertyMap {
	computed := m.outputs(m.previewID(), nil)
	for _, name := range typeTable()[m.typ].Outputs {
		if _, ok := computed[name]; !ok {
			computed[name] = ""
		}
	}
	return overlay(props, computed, true, typeTable()[m.typ].Secret)
}

func (m *maker) previewID() string { return "preview-00000000" }

func (p *provider) Update(_ context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	typ := typeOf(req.GetUrn())
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	in, old := plainMap(news), plainMap(olds)
	if !req.GetPreview() {
		pause(typ, nameOf(req.GetUrn()))
		if failing("update", typ, nameOf(req.GetUrn())) {
			return nil, injected("updating", typ, req.GetUrn())
		}
	}
	var out resource.PropertyMap
	err = withAccount(!req.GetPreview(), func(acct *Account) error {
		record := acct.get(typ, req.GetId())
		if !req.GetPreview() && typ == helmRelease {
			if err := helmRefuse(record, lastPart(req.GetId())); err != nil {
				return err
			}
		}
		if record == nil && !req.GetPreview() {
			return fmt.Errorf("ResourceNotFoundException: %s does not exist", req.GetId())
		}
		if req.GetPreview() {
			acct = scratch(acct)
		}
		m := p.maker(acct, req.GetUrn(), in)
		if !req.GetPreview() {
			if err := refuseUpdate(m); err != nil {
				return err
			}
		}
		computed := m.outputs(req.GetId(), old)
		out = overlay(news, computed, false, typeTable()[typ].Secret)
		for k := range computed {
			if req.GetPreview() && volatile[typ+"."+k] {
				out[resource.PropertyKey(k)] = resource.MakeComputed(resource.NewProperty(""))
			}
		}
		for k, v := range olds { // nested computed parts, as vpcConfig.clusterSecurityGroupId
			current, ok := out[k]
			if ok && current.IsObject() && v.IsObject() && k != "tags" && k != "tagsAll" {
				if nested, isMap := plain(v).(map[string]any); isMap && (hasComputedParts[typ+"."+string(k)] || (isKubernetes(typ) && k == "metadata")) {
					out[k] = resource.NewProperty(overlay(current.ObjectValue(), nested, false, nil))
				}
			}
		}
		if !req.GetPreview() {
			record.Inputs, record.Outputs, record.URN = in, plainMap(out), req.GetUrn()
		}
		return nil
	})
	if err != nil {
		return nil, apiError("updating", typ, req.GetUrn(), err)
	}
	result, err := marshal(out)
	return &pulumirpc.UpdateResponse{Properties: result}, err
}

// hasComputedParts: object inputs to which AWS adds values of its own.
var hasComputedParts = map[string]bool{
	"aws:eks/cluster:Cluster.vpcConfig": true, "aws:eks/cluster:Cluster.kubernetesNetworkConfig": true,
	"aws:eks/cluster:Cluster.accessConfig": true,
}

func (p *provider) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	typ := typeOf(req.GetUrn())
	resp := &pulumirpc.ReadResponse{}
	err := withAccount(false, func(acct *Account) error {
		record := acct.get(typ, req.GetId())
		if record == nil {
			record = byImportID(acct, typ, req.GetId())
		}
		if record == nil {
			return nil
		}
		known, err := unmarshal(firstOf(req.GetInputs(), req.GetProperties()))
		if err != nil {
			return err
		}
		secrets := typeTable()[typ].Secret
		for k, v := range known {
			if v.ContainsSecrets() {
				secrets = append(secrets, string(k))
			}
		}
		resp.Id = record.ID
		if resp.Properties, err = marshal(overlay(resource.PropertyMap{}, record.Outputs, false, secrets)); err != nil {
			return err
		}
		resp.Inputs, err = marshal(overlay(resource.PropertyMap{}, record.Inputs, false, secrets))
		return err
	})
	return resp, err
}

func (p *provider) Delete(_ context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	typ := typeOf(req.GetUrn())
	pause(typ, nameOf(req.GetUrn()))
	if failing("delete", typ, nameOf(req.GetUrn())) {
		return nil, injected("deleting", typ, req.GetUrn())
	}
	err := withAccount(true, func(acct *Account) error {
		record := acct.get(typ, req.GetId())
		if record == nil {
			return nil
		}
		if guarded, _ := record.Outputs["deletionProtection"].(bool); guarded {
			return fmt.Errorf("InvalidRequestException: %s has deletion protection", req.GetId())
		}
		if err := refuseDelete(acct, typ, req.GetId()); err != nil {
			return err
		}
		delete(acct.Resources, key(typ, req.GetId()))
		if typ == kubeNamespace {
			kubeForget(acct, req.GetId())
		}
		for k, r := range acct.Resources {
			// What is in a cluster goes with it, whoever made it and whether or not the state still knows it.
			if r.Owner == key(typ, req.GetId()) || (typ == "aws:eks/cluster:Cluster" && isKubernetes(r.Type)) {
				delete(acct.Resources, k)
			}
		}
		return nil
	})
	if err != nil {
		return nil, apiError("deleting", typ, req.GetUrn(), err)
	}
	return &emptypb.Empty{}, nil
}

func (p *provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args, err := unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	var out map[string]any
	err = withAccount(false, func(acct *Account) error {
		out, err = p.cloud.answer(acct, req.GetTok(), plainMap(args))
		return err
	})
	if err != nil {
		return &pulumirpc.InvokeResponse{Failures: []*pulumirpc.CheckFailure{{Reason: err.Error()}}}, nil
	}
	result, err := marshal(resource.NewPropertyMapFromMap(out))
	return &pulumirpc.InvokeResponse{Return: result}, err
}

// failing: $FAKE_AWS_FAIL is a comma-separated list of TYPE, VERB:TYPE or either with =NAME;
// verbs: create (default), after-create, update, delete.
func failing(verb, typ, name string) bool {
	for _, want := range strings.Split(os.Getenv("FAKE_AWS_FAIL"), ",") {
		want, only, named := strings.Cut(strings.TrimSpace(want), "=")
		if named && only != name {
			continue
		}
		if want == verb+":"+typ || (verb == "create" && want == typ) {
			return true
		}
	}
	return false
}

func injected(doing, typ, urn string) error {
	return apiError(doing, typ, urn, fmt.Errorf("InsufficientCapacityException: fake AWS was told to fail here"))
}

// apiError looks like the provider's: operation, HTTP status, request id.
func apiError(doing, typ, urn string, err error) error {
	if isKubernetes(typ) {
		return status.Error(codes.Unknown, kubeError(doing, typ, urn, err))
	}
	service, kind := serviceOf(typ)
	return status.Errorf(codes.Unknown, "1 error occurred:\n\t* %s %s %s (%s): operation error, https response error StatusCode: 400, RequestID: 00000000-fake, api error %s",
		doing, strings.ToUpper(service), kind, nameOf(urn), err)
}

// pause waits $FAKE_AWS_SLOW_MS, or AWS's usual time times $FAKE_AWS_LATENCY_SCALE, or what $FAKE_AWS_SLOW says of this
// one: a comma list of TYPE=MS or TYPE=MS=NAME.
func pause(typ, name string) {
	wait := time.Duration(0)
	for _, want := range strings.Split(os.Getenv("FAKE_AWS_SLOW"), ",") {
		fields := strings.Split(strings.TrimSpace(want), "=")
		if len(fields) < 2 || fields[0] != typ || (len(fields) > 2 && fields[2] != name) {
			continue
		}
		if ms, err := strconv.Atoi(fields[1]); err == nil {
			wait += time.Duration(ms) * time.Millisecond
		}
	}
	if ms, err := strconv.Atoi(os.Getenv("FAKE_AWS_SLOW_MS")); err == nil {
		wait = time.Duration(ms) * time.Millisecond
	}
	if scale, err := strconv.ParseFloat(os.Getenv("FAKE_AWS_LATENCY_SCALE"), 64); err == nil {
		usual, ok := seconds[typ]
		if !ok {
			usual = 2
		}
		wait += time.Duration(usual * scale * float64(time.Second))
	}
	time.Sleep(wait)
}

// seed puts a resource into the account as if somebody had made it by hand: seed TYPE JSON.
func seed(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: pulumi-resource-aws seed TYPE '{\"input\": ...}'")
	}
	in := map[string]any{}
	if err := json.Unmarshal([]byte(args[1]), &in); err != nil {
		return err
	}
	p := &provider{cloud: baseCloud()}
	return withAccount(true, func(acct *Account) error {
		m := p.maker(acct, "urn:pulumi:seed::seed::"+args[0]+"::seed", in)
		if err := refuse(m); err != nil {
			return err
		}
		id := m.id()
		out := overlay(resource.NewPropertyMapFromMap(in), m.outputs(id, nil), false, nil)
		acct.put(&Record{Type: m.typ, ID: id, Inputs: in, Outputs: plainMap(out)})
		fmt.Println(id)
		return nil
	})
}
