package main

import (
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
)

// Rules of the imaginary account: what AWS itself would refuse. FAKE_AWS_LAX=1 turns off
// those about references and order; the others always hold.

func lax() bool { return os.Getenv("FAKE_AWS_LAX") == "1" }

var nameRules = map[string]*regexp.Regexp{
	"aws:eks/cluster:Cluster":       regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`),
	"aws:eks/nodeGroup:NodeGroup":   regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,62}$`),
	"aws:iam/role:Role":             regexp.MustCompile(`^[\w+=,.@-]{1,64}$`),
	"aws:iam/policy:Policy":         regexp.MustCompile(`^[\w+=,.@-]{1,128}$`),
	"aws:s3/bucket:Bucket":          regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`),
	"aws:ecr/repository:Repository": regexp.MustCompile(`^[a-z0-9]+(?:[._/-][a-z0-9]+)*$`),
	"aws:backup/vault:Vault":        regexp.MustCompile(`^[a-zA-Z0-9_-]{2,50}$`),
}

// checkInputs is what the real provider refuses before it calls AWS (in Check).
func checkInputs(typ string, in map[string]any) (property, reason string) {
	for _, name := range typeTable()[typ].Required {
		if v, ok := in[name]; !ok || v == nil {
			return name, fmt.Sprintf("Missing required argument. The argument %q is required, but no definition was found.", name)
		}
	}
	if rule := nameRules[typ]; rule != nil {
		prop := autoname[typ].prop
		if name, ok := in[prop].(string); ok && !rule.MatchString(name) {
			return prop, fmt.Sprintf("invalid value for %s (%q must match %s)", prop, name, rule)
		}
	}
	return "", ""
}

// refuse returns AWS's error for a create that the account's state does not allow.
func refuse(m *maker) error {
	if isKubernetes(m.typ) {
		return kubeRefuse(m)
	}
	if err := refuseTwice(m); err != nil {
		return err
	}
	switch m.typ {
	case "aws:autoscaling/group:Group":
		return refuseGroup(m)
	case "aws:ec2/subnet:Subnet":
		return refuseSubnet(m)
	case "aws:eks/nodeGroup:NodeGroup":
		return refuseScaling(m)
	case "aws:efs/mountTarget:MountTarget":
		zone := zoneOf(m.acct, m.str("subnetId"))
		for _, r := range m.acct.ofType(m.typ) {
			if r.Inputs["fileSystemId"] == m.in["fileSystemId"] && zoneOf(m.acct, fmt.Sprint(r.Inputs["subnetId"])) == zone {
				return fmt.Errorf("MountTargetConflict: mount target already exists in this AZ")
			}
		}
	case "aws:efs/fileSystem:FileSystem":
		for _, r := range m.acct.ofType(m.typ) {
			if token := m.str("creationToken"); token != "" && r.Inputs["creationToken"] == token {
				return fmt.Errorf("FileSystemAlreadyExists: File system '%s' already exists with creation token '%s'", r.ID, token)
			}
		}
	case "aws:eks/addon:Addon":
		warnAddon(m)
	case "aws:eks/cluster:Cluster":
		ids, _ := dig(m.in, "vpcConfig.subnetIds").([]any)
		if found := zonesOf(m.acct, ids); len(ids) > 0 && len(found) < 2 {
			return fmt.Errorf("InvalidParameterException: Subnets specified must be in at least two different AZs")
		}
	case "aws:ec2/vpcEndpoint:VpcEndpoint":
		ids, _ := m.in["subnetIds"].([]any)
		if found := zonesOf(m.acct, ids); len(found) < len(ids) {
			return fmt.Errorf("DuplicateSubnetsInSameZone: Found another VPC endpoint subnet in the availability zone")
		}
	}
	return refuseReferences(m)
}

// warnAddon notes in the log an add-on whose pods have no node yet: on AWS it stays DEGRADED
// and the create waits (20 minutes at most) for a node group.
func warnAddon(m *maker) {
	switch m.str("addonName") {
	case "coredns", "metrics-server", "aws-ebs-csi-driver", "aws-efs-csi-driver", "snapshot-controller":
	default:
		return
	}
	for _, r := range m.acct.ofType("aws:eks/nodeGroup:NodeGroup") {
		if want, _ := dig(r.Inputs, "scalingConfig.desiredSize").(float64); r.Inputs["clusterName"] == m.in["clusterName"] && want > 0 {
			return
		}
	}
	logCall(map[string]any{"warn": "add-on before any node: DEGRADED until a node group has nodes", "type": m.typ, "name": m.str("addonName"), "urn": m.urn})
}

func zoneOf(acct *Account, subnet string) string {
	if s := acct.get("aws:ec2/subnet:Subnet", subnet); s != nil {
		return fmt.Sprint(s.Outputs["availabilityZone"])
	}
	return subnet
}

func zonesOf(acct *Account, ids []any) map[string]bool {
	found := map[string]bool{}
	for _, id := range ids {
		found[zoneOf(acct, fmt.Sprint(id))] = true
	}
	return found
}

func refuseSubnet(m *maker) error {
	cidr, ok := parsePrefix(m.str("cidrBlock"))
	if !ok {
		return nil
	}
	if vpc := m.acct.get("aws:ec2/vpc:Vpc", m.str("vpcId")); vpc != nil {
		if whole, ok := parsePrefix(fmt.Sprint(vpc.Inputs["cidrBlock"])); ok && (!whole.Contains(cidr.Addr()) || cidr.Bits() < whole.Bits()) {
			return fmt.Errorf("InvalidSubnet.Range: The CIDR '%s' is invalid.", cidr)
		}
	}
	if cidr.Bits() < 16 || cidr.Bits() > 28 {
		return fmt.Errorf("InvalidSubnet.Range: The CIDR '%s' is invalid.", cidr)
	}
	for _, r := range m.acct.ofType(m.typ) {
		other, ok := parsePrefix(fmt.Sprint(r.Inputs["cidrBlock"]))
		if ok && r.Inputs["vpcId"] == m.in["vpcId"] && other.Overlaps(cidr) {
			return fmt.Errorf("InvalidSubnet.Conflict: The CIDR '%s' conflicts with another subnet", cidr)
		}
	}
	return nil
}

func refuseScaling(m *maker) error {
	number := func(name string) float64 { n, _ := dig(m.in, "scalingConfig."+name).(float64); return n }
	low, want, high := number("minSize"), number("desiredSize"), number("maxSize")
	switch {
	case high < 1:
		return fmt.Errorf("InvalidParameterException: maxSize must be at least 1")
	case low > want:
		return fmt.Errorf("InvalidParameterException: Minimum capacity %v can't be greater than desired size %v", low, want)
	case want > high:
		return fmt.Errorf("InvalidParameterException: desired capacity %v can't be greater than max size %v", want, high)
	case m.in["launchTemplate"] != nil && m.in["diskSize"] != nil:
		return fmt.Errorf("InvalidParameterException: Disk size must be specified within the launch template.")
	}
	return refuseReferences(m)
}

// refuseGroup: what Auto Scaling says to the limits of a group.
func refuseGroup(m *maker) error {
	low, _ := m.in["minSize"].(float64)
	high, _ := m.in["maxSize"].(float64)
	want, given := m.in["desiredCapacity"].(float64)
	switch {
	case low > high:
		return fmt.Errorf("ValidationError: Max bound, %v, must be greater than or equal to min bound, %v", high, low)
	case given && (want < low || want > high):
		return fmt.Errorf("ValidationError: Desired capacity:%v must be between the specified min size:%v and max size:%v", want, low, high)
	}
	return refuseReferences(m)
}

// refuseUpdate: what the account's state does not allow in an update.
func refuseUpdate(m *maker) error {
	switch m.typ {
	case "aws:eks/nodeGroup:NodeGroup":
		return refuseScaling(m)
	case "aws:autoscaling/group:Group":
		return refuseGroup(m)
	}
	return nil
}

// natural keys: a second resource with the same values is refused, although AWS gives each an id of its own.
var natural = map[string]struct{ props, text string }{
	"aws:ec2/launchTemplate:LaunchTemplate":                 {"name", "InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use."},
	"aws:ec2/securityGroup:SecurityGroup":                   {"vpcId name", "InvalidGroup.Duplicate: The security group '%s' already exists for VPC"},
	"aws:ec2/route:Route":                                   {"routeTableId destinationCidrBlock", "RouteAlreadyExists: The route identified by %s already exists."},
	"aws:ec2/routeTableAssociation:RouteTableAssociation":   {"subnetId", "Resource.AlreadyAssociated: the specified association for route table conflicts with an existing association (%s)"},
	"aws:ec2/internetGateway:InternetGateway":               {"vpcId", "Resource.AlreadyAssociated: resource %s is already associated with an internet gateway"},
	"aws:ec2/flowLog:FlowLog":                               {"vpcId subnetId logDestination logDestinationType", "FlowLogAlreadyExists: Error. There is an existing Flow Log with the same configuration and log destination. (%s)"},
	"aws:ec2/subnetCidrReservation:SubnetCidrReservation":   {"subnetId cidrBlock", "InvalidSubnetCidrReservation.Conflict: the reservation already exists (%s)"},
	"aws:ec2/vpcEndpoint:VpcEndpoint":                       {"vpcId serviceName vpcEndpointType", "RouteAlreadyExists: route table already has a route with destination-prefix-list-id (%s)"},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {"clusterName namespace serviceAccount", "ResourceInUseException: Association already exists: %s"},
	"aws:lb/loadBalancer:LoadBalancer":                      {"name", "ELBv2 Load Balancer (%s) already exists"},
	"aws:lb/targetGroup:TargetGroup":                        {"name", "ELBv2 Target Group (%s) already exists"},
	"aws:lb/listener:Listener":                              {"loadBalancerArn port", "DuplicateListener: A listener already exists on this port for this load balancer '%s'"},
	"aws:kms/grant:Grant":                                   {"keyId name", "AlreadyExistsException: a grant of this name already exists (%s)"},
}

// refuseTwice compares with the account by the type's natural key.
func refuseTwice(m *maker) error {
	rule, ok := natural[m.typ]
	if !ok {
		return nil
	}
	var mine []string
	for _, prop := range words(rule.props) {
		mine = append(mine, fmt.Sprint(m.in[prop]))
	}
	for _, r := range m.acct.ofType(m.typ) {
		same := true
		for i, prop := range words(rule.props) {
			same = same && fmt.Sprint(r.Inputs[prop]) == mine[i]
		}
		if same && m.in[words(rule.props)[0]] != nil {
			if strings.Contains(rule.text, "%s") {
				return fmt.Errorf(rule.text, strings.Join(mine, " "))
			}
			return fmt.Errorf("%s", rule.text)
		}
	}
	return nil
}

// byImportID finds what `import` names otherwise than by its id (docs of each resource in pulumi_aws, "Import").
func byImportID(acct *Account, typ, id string) *Record {
	forms := map[string]string{
		"aws:ec2/route:Route": "routeTableId _ destinationCidrBlock",
		"aws:ec2/routeTableAssociation:RouteTableAssociation": "subnetId / routeTableId",
		"aws:ec2/subnetCidrReservation:SubnetCidrReservation": "subnetId : id",
	}
	form, ok := forms[typ]
	if !ok {
		return nil
	}
	for _, r := range acct.ofType(typ) {
		text := ""
		for _, word := range words(form) {
			switch {
			case word == "id":
				text += r.ID
			case len(word) == 1:
				text += word
			default:
				text += fmt.Sprint(r.Inputs[word])
			}
		}
		if text == id {
			return r
		}
	}
	return nil
}

// refuseReferences: ids that name nothing (yet).
func refuseReferences(m *maker) error {
	if lax() {
		return nil
	}
	inputs := map[string]any{}
	for k, v := range m.in {
		inputs[k] = v
		if nested, ok := v.(map[string]any); ok && k == "vpcConfig" {
			for nk, nv := range nested {
				inputs[nk] = nv
			}
		}
	}
	for prop, target := range references {
		ids, ok := inputs[prop].([]any)
		if !ok {
			ids = []any{inputs[prop]}
		}
		for _, id := range ids {
			if s, ok := id.(string); ok && s != "" && strings.Contains(s, "-") && m.acct.get(target, s) == nil {
				kind := target[strings.LastIndex(target, ":")+1:]
				return fmt.Errorf("Invalid%sID.NotFound: The %s ID '%s' does not exist", kind, kind, s)
			}
		}
	}
	if strings.HasPrefix(m.typ, "aws:eks/") && m.str("clusterName") != "" && m.acct.get("aws:eks/cluster:Cluster", m.str("clusterName")) == nil {
		return fmt.Errorf("ResourceNotFoundException: No cluster found for name: %s.", m.str("clusterName"))
	}
	if role := lastPart(m.str("role")); role != "" && strings.HasPrefix(m.typ, "aws:iam/") && m.acct.get("aws:iam/role:Role", role) == nil {
		return fmt.Errorf("NoSuchEntity: The role with name %s cannot be found.", role)
	}
	return nil
}

// refuseDelete: something in the account still needs the resource.
func refuseDelete(acct *Account, typ, id string) error {
	if lax() {
		return nil
	}
	var users []string
	if typ == "aws:ec2/internetGateway:InternetGateway" {
		users = publicOf(acct, fmt.Sprint(acct.get(typ, id).Inputs["vpcId"]))
	}
	for _, blocker := range blockers[typ] {
		for _, r := range acct.ofType(blocker) {
			if r.ID != id && r.Owner == "" && mentions(r.Inputs, id, acct.get(typ, id)) {
				users = append(users, r.ID)
			}
		}
	}
	if len(users) == 0 {
		return nil
	}
	sort.Strings(users)
	code := "DependencyViolation"
	if strings.HasPrefix(typ, "aws:iam/") {
		code = "DeleteConflict"
	} else if strings.HasPrefix(typ, "aws:eks/") {
		code = "ResourceInUseException"
	} else if strings.HasPrefix(typ, "aws:efs/") {
		code = "FileSystemInUse"
	}
	return fmt.Errorf("%s: resource '%s' has dependencies and cannot be deleted (%s)", code, id, strings.Join(users, ", "))
}

// publicOf lists the NAT gateways of a VPC: while one is there, its internet gateway cannot be detached.
func publicOf(acct *Account, vpc string) []string {
	var found []string
	for _, r := range acct.ofType("aws:ec2/natGateway:NatGateway") {
		subnet := acct.get("aws:ec2/subnet:Subnet", fmt.Sprint(r.Inputs["subnetId"]))
		if subnet != nil && subnet.Inputs["vpcId"] == vpc {
			found = append(found, r.ID)
		}
	}
	return found
}

// mentions: one of the input values is the id (or the ARN, or the name in an ARN).
func mentions(v any, id string, of *Record) bool {
	switch v := v.(type) {
	case string:
		return v == id || (of != nil && v == of.Outputs["arn"])
	case []any:
		for _, x := range v {
			if mentions(x, id, of) {
				return true
			}
		}
	case map[string]any:
		for _, x := range v {
			if mentions(x, id, of) {
				return true
			}
		}
	}
	return false
}
