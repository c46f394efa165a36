"""What the recorder makes of a caller's own program: everything is taken as it is, nothing is
invented, and what cannot be known is noted.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.program import Note, beyond_the_recording
from jupyterhub_aws.plan.answers import UnknownCallError
from jupyterhub_aws.plan.eks_cluster import UnknownComponentError
from tests.support.own_programs import of_the_library, run

_CLUSTER = "import pulumi_eks\nfound = pulumi_eks.Cluster('c', min_size=1)\n"
_REMOTE = (
    "pulumi.ComponentResource('awsx:ec2:Vpc', 'v', {'cidr': '10.0.0.0/16', 'vpcId': None}, None,"
    " remote=True)\n"
)


def notes(found: object) -> set[tuple[str, str, str]]:
    return {(note.kind, note.what, note.source) for note in found.notes}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("aws.get_availability_zones()", UnknownCallError),
        ("aws.route53.get_zone_output(name='x').zone_id", UnknownCallError),
        ("aws.ec2.Vpc.get('v', 'vpc-1')", UnknownCallError),
        (
            "c = pulumi.ComponentResource('jupyterhub-aws:index:X', 'x')\n"
            + _CLUSTER.replace("min_size=1", "opts=Options(parent=c)"),
            UnknownComponentError,
        ),
        (
            "c = pulumi.ComponentResource('jupyterhub-aws:index:X', 'x')\n"
            + _REMOTE.replace("None, remote", "Options(parent=c), remote"),
            UnknownComponentError,
        ),
    ],
    ids=[
        "a look-up",
        "a look-up as Output",
        "a read",
        "another cluster component",
        "another remote component",
    ],
)
def test_a_query_of_this_library_without_a_model_is_an_error(
    program: str, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        run(tmp_path, of_the_library(program))
    run(tmp_path, program)  # the same lines in a caller's own program


def test_a_caller_has_a_cluster_of_another_kind_and_the_plan_says_what_it_lacks(
    tmp_path: Path,
) -> None:
    found = run(tmp_path, _CLUSTER + "pulumi.export('k', found.kubeconfig_json)")
    assert [(item.type, item.inputs, item.source) for item in found.resources] == [
        ("eks:index:Cluster", {"minSize": 1}, "__main__.py:4")
    ]
    assert found.outputs == {"k": "[unknown]"}
    assert notes(found) == {("component", "c (eks:index:Cluster)", "__main__.py:4")}


def test_a_remote_component_has_unknown_outputs_and_methods(tmp_path: Path) -> None:
    program = (
        "class Net(pulumi.ComponentResource):\n    def __init__(self):\n       "
        " super().__init__('awsx:ec2:Vpc', 'v', {'cidr': '10.0.0.0/16', 'vpc_id': None}, None,"
        " remote=True)\nnet = Net()\naws.ec2.Subnet('s', vpc_id=net.vpc_id,"
        " cidr_block='10.0.0.0/24', opts=Options(depends_on=[net]))\npulumi.export('m',"
        " pulumi.runtime.call('awsx:ec2:Vpc/describe', {}, res=net))\npulumi.export('never',"
        " net.vpc_id.apply(lambda text: 1 / 0))"
    )
    found = run(tmp_path, program)
    subnet = found.resources.of("aws:ec2/subnet:Subnet")[0]
    assert subnet.inputs["vpcId"] == "[unknown]" and subnet.depends_on == (
        found.resources.of("awsx:ec2:Vpc")[0].urn,
    )
    assert found.outputs == {"m": "[unknown]", "never": "[unknown]"}
    assert found.resources.of("awsx:ec2:Vpc")[0].source == "__main__.py:6", (
        "the line that makes it, not the one inside its class"
    )


def test_a_type_that_no_sdk_here_knows_is_echoed_and_what_it_answers_is_unknown(
    tmp_path: Path,
) -> None:
    program = (
        "class Any(pulumi.CustomResource):\n    pass\nkey = Any('tls:index/privateKey:PrivateKey',"
        " 'k', {'algorithm': 'RSA', 'pem': None})\nAny('command:local:Command', 'c', {'create':"
        " key.pem, 'size': key.algorithm, 'list': [1, 2.5, True, None, {'a':"
        " []}]})\npulumi.export('never', key.pem.apply(lambda text: 1 / 0))\npulumi.export('id',"
        " key.id)"
    )
    found = run(tmp_path, program)
    assert found.resources.of("command:local:Command")[0].inputs == {
        "create": "[unknown]",
        "size": "RSA",
        "list": [1, 2.5, True, None, {"a": []}],
    }
    assert found.outputs == {"never": "[unknown]", "id": "${k.id}"} and found.notes == ()


def test_a_dynamic_resource_shows_its_properties_and_never_its_code(tmp_path: Path) -> None:
    program = (
        "from pulumi import dynamic\n"
        "class P(dynamic.ResourceProvider):\n"
        "    serialize_as_secret_always = False\n"
        "    def create(self, props):\n"
        "        return dynamic.CreateResult('1', {'word': 'hunter2'})\n"
        "class D(dynamic.Resource, module='lab', name='Token'):\n"
        "    def __init__(self, name):\n"
        "        super().__init__(P(), name, {'length': 3, 'word': None})\n"
        "pulumi.export('word', D('d').word)"
    )
    found = run(tmp_path, program)
    assert [(item.type, item.inputs) for item in found.resources] == [
        ("pulumi-python:dynamic/lab:Token", {"length": 3})
    ]
    assert found.outputs == {"word": "[unknown]"}


def test_a_look_up_gives_an_unknown_output_or_placeholders_at_once(tmp_path: Path) -> None:
    program = (
        "zones = aws.get_availability_zones(state='available')\nimage ="
        " aws.ec2.get_ami(most_recent=True, owners=['amazon'])\nfor zone in zones.names[:2]:\n   "
        " aws.ebs.Volume(f'v-{zone}', availability_zone=zone, size=1,"
        " type=image.tags['kind'])\npulumi.export('all',"
        " len(list(zones.names)))\npulumi.export('third', zones.names[2])\npulumi.export('one',"
        " image.block_device_mappings[0].device_name)\npulumi.export('number',"
        " image.ena_support)\npulumi.export('later',"
        " aws.ec2.get_vpc_output(id='vpc-1').cidr_block.apply(lambda text: 1 /"
        " 0))\npulumi.export('who', aws.get_caller_identity().account_id)"
    )
    found = run(tmp_path, program)
    first, second = found.resources.of("aws:ebs/volume:Volume")
    assert first.inputs == {
        "availabilityZone": "${getAvailabilityZones.names[0]}",
        "size": 1,
        "type": "${getAmi.tags.kind}",
    }
    assert second.inputs["availabilityZone"] == "${getAvailabilityZones.names[1]}"
    assert found.outputs == {
        "all": 1,
        "third": "${getAvailabilityZones.names[2]}",
        "one": "${getAmi.blockDeviceMappings[0].deviceName}",
        "later": "[unknown]",
        "who": "${aws.account}",
    }
    prompt = {
        (what.rpartition(":")[2], line)
        for kind, what, line in notes(found)
        if kind == "prompt look-up"
    }
    assert prompt == {("getAvailabilityZones", "__main__.py:3"), ("getAmi", "__main__.py:4")}
    (later,) = [
        finding for finding in beyond_the_recording(found.notes) if "getVpc" in finding.message
    ]
    assert (
        later.status == "skip"
        and "__main__.py:11" in later.message
        and "getAmi" not in later.message
    )


def test_what_a_program_reads_is_there_and_not_the_stacks(tmp_path: Path) -> None:
    program = (
        "v = aws.ec2.Vpc.get('theirs', 'vpc-1')\naws.ec2.Subnet('s', vpc_id=v.id,"
        " cidr_block=v.cidr_block)"
    )
    found = run(tmp_path, program)
    vpc = found.resources.of("aws:ec2/vpc:Vpc")[0]
    assert vpc.external and vpc.inputs == {"id": "vpc-1"} and vpc.source == "__main__.py:3"
    assert found.resources.of("aws:ec2/subnet:Subnet")[0].inputs == {
        "vpcId": "vpc-1",
        "cidrBlock": "${theirs.cidrBlock}",
    }


def test_another_stacks_outputs_are_unknown(tmp_path: Path) -> None:
    program = (
        "import asyncio\n"
        "other = pulumi.StackReference('acme/network/prod')\n"
        "pulumi.export('got', other.get_output('vpc_id'))\n"
        "pulumi.export('required', other.require_output('vpc_id').apply(lambda text: 1 / 0))\n"
        "async def later():\n"
        "    found = await other.get_output_details('vpc_id')\n"
        "    return {'details': str(found.value)}\n"
        "pulumi.run(later)"
    )
    found = run(tmp_path, program)
    assert [(item.type, item.name, item.external) for item in found.resources] == [
        ("pulumi:pulumi:StackReference", "acme/network/prod", True)
    ]
    assert found.outputs == {"got": "[unknown]", "required": "[unknown]", "details": "None"}


def test_manifests_become_their_objects_and_what_must_be_rendered_is_noted(tmp_path: Path) -> None:
    program = (
        "import pulumi_kubernetes as k8s\nk8s.yaml.ConfigGroup('g', yaml=['apiVersion: v1\\nkind:"
        " ConfigMap\\nmetadata: {name: a}\\n---\\n---\\nkind: x\\n---\\napiVersion: v1\\nkind:"
        " List\\nitems:\\n- {apiVersion: v1, kind: Namespace, metadata: {name: n, annotations:"
        " {day: 2026-01-01}}}\\n'])\nk8s.kustomize.Directory('d', directory='overlay')\n"
    )
    found = run(tmp_path, program)
    assert {(item.type, item.name) for item in found.resources if item.custom} == {
        ("kubernetes:core/v1:ConfigMap", "a"),
        ("kubernetes:core/v1:Namespace", "n"),
    }
    assert found.resources.of("kubernetes:core/v1:Namespace")[0].inputs["metadata"][
        "annotations"
    ] == {"day": "2026-01-01"}
    assert {item.source for item in found.resources} == {
        "__main__.py:4",
        "__main__.py:5",
    }, "children too: they come later, from a task"
    assert notes(found) == {
        ("component", "kubernetes:kustomize:directory", "__main__.py:5"),
        ("look-up", "kubernetes:kustomize:directory", "__main__.py:5"),
    }
    with pytest.raises(Exception, match="is not readable as YAML"):
        run(tmp_path, "import pulumi_kubernetes as k8s\nk8s.yaml.ConfigGroup('g', yaml=['a: [1'])")


def test_transforms_run_in_the_engines_order_with_inputs_and_options(tmp_path: Path) -> None:
    program = (
        "def by(word, **options):\n    def change(args):\n        if not"
        " args.type_.startswith('aws:s3'):\n            return None\n        seen ="
        " args.props.get('bucket', '')\n        return"
        " pulumi.ResourceTransformResult({**args.props, 'bucket': seen + word},"
        " Options.merge(args.opts, Options(**options)))\n    return change\nasync def"
        " later(args):\n    return"
        " by('d')(args)\npulumi.runtime.register_resource_transform(by('c',"
        " retain_on_delete=True))\npulumi.runtime.register_resource_transform(later)\nouter ="
        " pulumi.ComponentResource('t:m:Outer', 'o', {}, Options(transforms=[by('b',"
        " protect=True)]))\naws.s3.Bucket('x', tags={'s': pulumi.Output.secret('hunter2')},"
        " opts=Options(parent=outer, transforms=[by('a', import_='that')]))\n"
    )
    (bucket,) = run(tmp_path, program).resources.of("aws:s3/bucket:Bucket")
    assert bucket.inputs == {"bucket": "abcd", "tags": "[secret]"}
    assert (bucket.protect, bucket.retain_on_delete, bucket.import_id) == (True, True, "that")


def test_former_names_are_the_engines(tmp_path: Path) -> None:
    program = (
        "a = pulumi.ComponentResource('t:m:A', 'new', {},"
        " Options(aliases=[pulumi.Alias(name='old'),"
        " 'urn:pulumi:s::p::t:m:Z::z']))\naws.s3.Bucket('new-data', opts=Options(parent=a,"
        " aliases=[pulumi.Alias(name='x')]))\naws.s3.Bucket('plain',"
        " opts=Options(aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE, name='before')]))\n"
    )
    found = {item.name: item.aliases for item in run(tmp_path, program).resources}
    assert found["new"] == ("urn:pulumi:s::p::t:m:A::old", "urn:pulumi:s::p::t:m:Z::z")
    assert set(found["new-data"]) == {
        "urn:pulumi:s::p::t:m:A$aws:s3/bucket:Bucket::x",
        "urn:pulumi:s::p::t:m:A$aws:s3/bucket:Bucket::old-data",
        "urn:pulumi:s::p::t:m:Z$aws:s3/bucket:Bucket::z-data",
        "urn:pulumi:s::p::t:m:Z$aws:s3/bucket:Bucket::x",
    }
    assert found["plain"] == ("urn:pulumi:s::p::aws:s3/bucket:Bucket::before",)


def test_a_function_that_fails_on_a_placeholder_gives_an_unknown_and_one_that_fails_on_a_value_fails(
    tmp_path: Path,
) -> None:
    program = (
        "b = aws.s3.Bucket('b')\npulumi.export('part', b.arn.apply(lambda arn:"
        " arn.split(':')[4]))\nasync def later(arn):\n    return"
        " arn.split(':')[4]\npulumi.export('later', b.arn.apply(later))\npulumi.export('all',"
        " pulumi.Output.all(a=b.arn, n=1).apply(lambda known: json.loads(known['a'])))\n"
    )
    found = run(tmp_path, program)
    assert found.outputs == {"part": "[unknown]", "later": "[unknown]", "all": "[unknown]"}
    assert notes(found) == {
        ("computed", "IndexError", "__main__.py:4"),
        ("computed", "IndexError", "__main__.py:7"),
        ("computed", "JSONDecodeError", "__main__.py:8"),
    }
    with pytest.raises(IndexError):
        run(tmp_path, "pulumi.Output.from_input('a').apply(lambda text: text.split(':')[4])")
    with pytest.raises(IndexError):
        run(tmp_path, of_the_library("aws.s3.Bucket('b').arn.apply(lambda arn: arn.split(':')[4])"))


def test_settings_of_the_programs_own_are_read_in_every_form(tmp_path: Path) -> None:
    program = (
        "own, team = pulumi.Config(), pulumi.Config('team')\npulumi.export('plain',"
        " [own.require('a'), own.require_int('n'), own.require_object('o'),"
        " own.get_bool('missing')])\npulumi.export('secret',"
        " team.require_secret('password'))\npulumi.export('typed',"
        " [team.require_secret_object('o'), team.get_secret_int('n'),"
        " team.get_secret_bool('missing')])\npulumi.export('computed',"
        " team.require_secret('password').apply(json.loads))\n"
    )
    keys = ("team:password", "team:o", "team:n")
    found = run(
        tmp_path, program, secret=keys, p__a="x", p__n="3", p__o='{"b": [1]}', p__unread="y"
    )
    assert found.outputs == {
        "plain": ["x", 3, {"b": [1]}, None],
        "secret": "[secret]",
        "typed": ["[secret]", "[secret]", None],
        "computed": "[secret]",
    }
    assert {what for kind, what, _ in notes(found) if kind == "configuration"} == {
        "team:o",
        "team:n",
    }
    assert found.settings == {"p:a", "p:n", "p:o", *keys}


def test_no_secret_of_a_program_is_shown_whichever_way_it_came(tmp_path: Path) -> None:
    program = (
        "aws.secretsmanager.SecretVersion('v', secret_id='s', secret_string='hunter2')\ncode ="
        " pulumi.AssetArchive({'a': pulumi.StringAsset('hunter2')})\naws.lambda_.Function('f',"
        " role='r', code=code, environment={'variables': {'MY_TOKEN':"
        " 'hunter2'}})\naws.ssm.Parameter('p', type='String', value=pulumi.Output.concat('a',"
        " pulumi.Output.secret('hunter2')))\npulumi.export('admin_password', 'hunter2')\n"
    )
    found = run(tmp_path, program)
    assert "hunter2" not in repr(found)
    assert (
        found.resources.of("aws:lambda/function:Function")[0].inputs["code"].startswith("[archive ")
    )
    (warning,) = [
        finding for finding in beyond_the_recording(found.notes) if finding.id == "secrets"
    ]
    assert (
        warning.status == "warn"
        and "f (aws:lambda/function:Function) at __main__.py:5" in warning.message
    )


def test_an_asset_is_told_by_its_place_and_its_text_by_a_digest(tmp_path: Path) -> None:
    program = "aws.s3.BucketObjectv2('{}', bucket='b', source={})\n"
    sources = [
        "pulumi.FileAsset('site/index.html')",
        "pulumi.StringAsset('x')",
        "pulumi.StringAsset('y')",
        "pulumi.FileArchive('./app')",
    ]
    lines = "".join(program.format(index, source) for index, source in enumerate(sources))
    found = {item.name: item.inputs["source"] for item in run(tmp_path, lines).resources}
    assert (found["0"], found["3"]) == ("[file site/index.html]", "[archive ./app]")
    assert found["1"] != found["2"] and found["1"].startswith("[file ")


def test_options_without_an_effect_on_a_plan_are_taken(tmp_path: Path) -> None:
    program = (
        "hook = pulumi.ResourceHook('h', lambda args: None)\nhooks ="
        " pulumi.ResourceHookBinding(after_create=[hook, lambda args: None],"
        " before_delete=[hook])\na = aws.s3.Bucket('a', opts=Options(hooks=hooks,"
        " deleted_with=None, replace_on_changes=['tags'], version='7.0.0'))\naws.s3.Bucket('b',"
        " opts=Options(deleted_with=a, custom_timeouts=pulumi.CustomTimeouts(create='1m'),"
        " additional_secret_outputs=['arn']))\npulumi.export('arn', pulumi.Output.format('{}',"
        " a.arn))\n"
    )
    assert len(run(tmp_path, program).resources) == 2


def test_names_that_look_like_placeholders_refer_to_themselves(tmp_path: Path) -> None:
    names = ["data.example.org", "data", "a}b", "100%", "${x}"]
    lines = (
        "b{0} = aws.s3.Bucket({1!r})\naws.s3.BucketVersioning('v{0}', bucket=b{0}.id,"
        " versioning_configuration={{}})\n"
    )
    program = "".join(lines.format(index, name) for index, name in enumerate(names))
    found = run(tmp_path, program).resources
    for index, name in enumerate(names):
        (versioning,) = [item for item in found if item.name == f"v{index}"]
        assert [
            item.name
            for item in found.referred(versioning.inputs["bucket"], "aws:s3/bucket:Bucket")
        ] == [name]


_NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
_SOME = [
    "a:b:C",
    "aws:s3/bucket:Bucket",
    "aws:nowhere/thing:Thing",
    "random:index/randomPet:RandomPet",
    "kubernetes:x.io/v1:Y",
    "two:parts",
    "x",
]
_TOKENS = st.sampled_from(_SOME) | st.from_regex(
    r"[a-z]{1,6}:[a-z/]{0,8}:[A-Z][a-z]{0,6}", fullmatch=True
)


@st.composite
def registrations(draw: st.DrawFn) -> str:
    """A program of random registrations: components and resources, under and after one another,
    by providers and with inputs of any shape.
    """
    lines = ["class R(pulumi.CustomResource):\n    pass", "made = []"]
    resources: list[
        int
        # a component is waited for by its children, so that one of them that waits for it would wait
        # for itself
    ] = []
    for index in range(draw(st.integers(1, 6))):
        token, name = draw(_TOKENS), f"{draw(_NAMES)}-{index}"
        custom = draw(st.booleans()) and token.count(":") == 2
        options = []
        if index and draw(st.booleans()):
            options.append(f"parent=made[{draw(st.integers(0, index - 1))}]")
        if resources and draw(st.booleans()):
            options.append(f"depends_on=[made[{draw(st.sampled_from(resources))}]]")
        if custom and draw(st.booleans()):
            options.append(
                "import_='some-id'" if draw(st.booleans()) else "protect=True, ignore_changes=['a']"
            )
        inputs = draw(
            st.dictionaries(
                st.from_regex(r"[a-z][a-zA-Z]{0,7}", fullmatch=True).filter(
                    lambda key: key not in ("id", "urn")
                ),
                _JSON,
                max_size=4,
            )
        )
        if resources and draw(st.booleans()):
            inputs_text = (
                f"{{**json.loads({json.dumps(inputs)!r}), 'refers':"
                f" made[{draw(st.sampled_from(resources))}].urn}}"
            )
        else:
            inputs_text = f"json.loads({json.dumps(inputs)!r})"
        make = (
            f"R({token!r}, {name!r}, {inputs_text}"
            if custom
            else f"pulumi.ComponentResource({token!r}, {name!r}, {{}}"
        )
        resources += [index] if custom else []
        lines.append(f"made.append({make}, Options({', '.join(options)})))")
    return "\n".join(lines) + "\n"


@pytest.mark.real
@given(program=registrations())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_program_is_recorded_whole(program: str, tmp_path: Path) -> None:
    found = run(tmp_path, program)
    assert len(found.resources) == program.count("made.append(")
    urns = {item.urn for item in found.resources}
    for item in found.resources:
        assert item.source is not None and item.source.startswith("__main__.py:")
        assert set(item.depends_on) <= urns and (item.parent is None or item.parent in urns)
        assert found.resources.part(item) in found.resources.added_parts()
    json.dumps([dict(item.inputs) for item in found.resources])


def test_notes_of_one_kind_are_one_finding_with_their_places() -> None:
    many = [
        Note(kind="look-up", what=f"aws:x:get{index}", source=f"__main__.py:{index}")
        for index in range(8)
    ]
    (finding,) = beyond_the_recording([*many, *many])
    assert (
        finding.status == "skip"
        and finding.message.startswith("8 look-ups of your program")
        and "and 3 more" in finding.message
    )
    assert beyond_the_recording([]) == []
