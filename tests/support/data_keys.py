"""What each key of `--json` is: its name, type, meaning and unit. docs/data-formats.md is made of
it, and data is compared with it: a key that is not here, is missing in the data, or has another
type is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: By command: a line for each key. `a[].b` is of each entry of the list a; `?` behind a name: the
#: key is not always there. Inside an `object` without lines of its own the keys are names.
_COMMON = {
    "problems": """
format | string | `jupyterhub-aws/problems/1`
problems | list of objects | why there is no answer, sorted by path
problems[].id | string | the kind of problem: it stays when the wording changes
problems[].path | string | option of a stack file, option or argument of the command; may be empty
problems[].what | string | what is wrong, and what was found
problems[].fix | string | what to do
problems[].source | string | the file or the command that it is about
""",
}
_BUILD = {
    "init": """
variant | string | the kind of project: `open`, or what was asked for
questions | list of objects | in the order in which they are asked
questions[].name | string | the name for `--set`
questions[].question | string | as the terminal has it
questions[].help | string | what it means
questions[].values | list of strings | what may be answered; empty: any text
questions[].default | string or null | the answer without one
questions[].placeholder | boolean | the default has to be replaced before `pulumi up`
questions[].asked | boolean | it is asked with the answers given so far
""",
    "plan": """
format | string | `jupyterhub-aws/plan/1`
stack | string | name of the stack
project | string | name of the Pulumi project
as_of | string | date by which support is judged
configuration | object | the stack file's options, secrets left out
resources | list of objects | every resource that `pulumi up` would register
resources[].urn | string | its Pulumi URN
resources[].type | string | its Pulumi type
resources[].name | string | its Pulumi name
resources[].parent | string or null | URN of its component
resources[].custom | boolean | a resource of a provider, not a component
resources[].provider | string or null | URN of an explicit provider
resources[].depends_on | list of strings | URNs
resources[].inputs | object | its inputs; what another resource decides is `${name.output}`
resources[].ignore_changes | list of strings | as the Pulumi option
resources[].protect | boolean | as the Pulumi option
resources[].retain_on_delete | boolean | as the Pulumi option
resources[].import_id | string or null | what it adopts
checks | list of objects | the findings
checks[].id | string | the check
checks[].status | string | `pass`, `warn`, `fail` or `skip`
checks[].message | string | the verdict
checks[].path | string or null | option of the stack file
checks[].fix | string or null | what to do
checks[].subjects | list of strings | URNs that it is about
cost | object | the bill in USD, see `cost.lines`
cost.currency | string | `USD`
cost.region | string | region of the prices
cost.prices_of | string | date and source of the prices
cost.sources | list of objects | each price: name, source, date, region, USD
cost.ec2_source | string | where EC2 prices are from
cost.spot_now | string | what is known of spot prices
cost.spot_share | number | assumed share of the on-demand price, 0 to 1
cost.elsewhere | list of strings | names of prices that are another region's
cost.is_elsewhere | boolean | a line has another region's price
cost.not_priced | object | what has no price, with the reason
cost.note | string or null | a remark
cost.only_account | string | what only an account knows
cost.left_out | list of strings | what the bill does not have
cost.idle_monthly | number or null | USD a month with every pool at its smallest; null without a price
cost.paused_monthly | number or null | USD a month while paused
cost.maximum_monthly | number or null | USD a month with every pool at its largest
cost.lines | list of objects | the lines of the bill
cost.lines[].what | string | what is paid for
cost.lines[].unit | string | the unit of `quantity`
cost.lines[].quantity | integer | how many at idle
cost.lines[].unit_price | number or null | USD a month and unit
cost.lines[].idle_monthly | number or null | USD a month
cost.lines[].paused_monthly | number or null | USD a month
cost.lines[].maximum_monthly | number or null | USD a month
cost.lines[].node_hourly | object or null | of nodes: type, USD an hour on demand, highest spot price
cost.lines[].note | string or null | a remark
cost.lines[].priced_in | string or null | region of the price
cost.user_hours | list of objects | what an hour of a user's server costs
cost.user_hours[].hub | string | the hub
cost.user_hours[].profile | string | the profile
cost.user_hours[].pool | string | the pool
cost.user_hours[].type | string | the instance type
cost.user_hours[].users_per_node | integer | servers of this profile that fit on a node
cost.user_hours[].on_demand | number or null | USD an hour
cost.user_hours[].spot | number or null | USD an hour
cost.user_hours[].priced_in | string or null | region of the price
gate | object | the policy for `jhub gate`
outer | list of objects | of a split stack: resources of its cloud stack, with the same keys
outputs | object | the stack outputs
sealed | object | digests of secrets that a change is seen by, never the secrets
""",
    "explain": """
id | string | the id that was asked for
kind | string | `problem`, `finding`, `section` or `option`
checks? | string | of a finding: what is looked at
says? | string | of a problem or option: what it means
why? | string | why it matters
cure? | string | what to do
options? | list of strings | options of stack files that it is about
ids? | list of strings | of a section: the ids in it
wordings? | list of objects | the messages with this id, `…` for what changes
wordings[].what | string | what is wrong
wordings[].fix | string or null | what to do
wordings[].status? | string | of a finding: `warn` or `fail`
""",
    "certificate inspect": """
format | string | `jupyterhub-aws/certificate/1`
as_of | string | the date by which it is judged
hostname | string or null | the name that users type
certificates | list of objects | the server's first, then its chain
certificates[].subject | string | the common name, or the whole subject
certificates[].names | list of strings | host names that it is for
certificates[].issuer | string | who signed it (RFC 4514)
certificates[].not_before | string | time in UTC, ISO 8601
certificates[].not_after | string | time in UTC, ISO 8601
certificates[].days_left | integer | whole days until `not_after`; below 0: it has ended
certificates[].key | string | kind and size of its public key
certificates[].sha256 | string | fingerprint
findings | list of objects | what is wrong
findings[].id | string | `certificate`
findings[].status | string | `warn`, or `fail` where browsers refuse it
findings[].message | string | what is wrong
findings[].path | string or null | option of the stack file
findings[].fix | string or null | what to do
findings[].subjects | list of strings | empty
key | object or null | with `--key-file`: whether the key belongs to the certificate
key.file | string | the file of the key
key.fits | boolean | it is its key
key.why | string or null | why not
""",
    "probe ldap": """
format | string | `jupyterhub-aws/probe/1`
stack | string | name of the stack
hub | string | the hub whose directory was tried
user | string or null | whose sign-in was tried
ok | boolean | no step failed; with `--user`: the user would be let in
steps | list of objects | in order; after a failure nothing more is tried
steps[].what | string | what was tried: `look-up account`, `entry`, `password`, …, `verdict`
steps[].state | string | `ok`, `failed`, `no` (a plain answer) or `skipped`
steps[].said | string | what was found
steps[].fix | string or null | what to do
steps[].path | string or null | option of the stack file to change
""",
}
_LOOK = {
    "health": """
format | string | `jupyterhub-aws/health/1`
stack | string | name of the stack
healthy | boolean | no stage of any hub failed
hubs | list of objects | the hubs that were tried
hubs[].hub | string | name of the hub
hubs[].url | string | its address
hubs[].healthy | boolean | no stage failed
hubs[].stages | list of objects | in order
hubs[].stages[].stage | string | what was tried
hubs[].stages[].status | string | `ok`, `failed` or `not tried`
hubs[].stages[].seconds | number | how long it took, in seconds
hubs[].stages[].said | string | what was found
hubs[].stages[].look | string or null | where to look next
hubs[].stays | list of strings | what a run leaves behind by intent
""",
    "who": """
format | string | `jupyterhub-aws/who/1`
stack | string | name of the stack
servers | list of objects | the users' servers
servers[].hub | string | name of the hub
servers[].user | string | name of the user
servers[].server | string | name of a named server; empty: the default one
servers[].profile | string | profile that was chosen; may be empty
servers[].state | string | `runs`, `starts`, `stops` or `not ready`
servers[].node | string | name of the node; empty where there is none yet
servers[].pool | string | pool of the node
servers[].since | string | start, time in UTC, ISO 8601
servers[].last_activity | string | time in UTC, ISO 8601
""",
    "nodes": """
format | string | `jupyterhub-aws/nodes/1`
stack | string | name of the stack
nodes | list of objects | by pool and age
nodes[].pool | string | pool of the node
nodes[].name | string | name of the node
nodes[].type | string | instance type; may be empty
nodes[].zone | string | availability zone; may be empty
nodes[].market | string | `spot`, `on demand`, or empty where it is unknown
nodes[].version | string | version of the kubelet
nodes[].state | string | `ready`, `not ready` or `cordoned`
nodes[].since | string | when it joined, time in UTC, ISO 8601
nodes[].servers | integer | users' servers on it
""",
    "doctor": """
format | string | `jupyterhub-aws/doctor/1`
stack | string | name of the stack
findings | list of objects | what is stuck; empty: nothing
findings[].path | string | where
findings[].what | string | what is stuck
findings[].run | string | the safe command, or the next look
""",
    "history": """
format | string | `jupyterhub-aws/history/1`
stack | string | name of the stack
hub | string | name of the hub
revisions | list of objects | that Helm keeps, oldest first
revisions[].revision | integer | its number, for `jhub rollback`
revisions[].status | string | Helm's: `deployed`, `superseded`, `failed`, …
revisions[].chart | string | chart with its version
revisions[].updated | string | when it was made, as Helm says it
""",
    "can": """
format | string | `jupyterhub-aws/can/1`
allowed | boolean | the call would be allowed
may_start | boolean | the user may start a server of this profile
access | string or null | the entry of `access` that decides
role | string or null | name of the IAM role of the server
by | string or null | the statement that decides
also_needed | string or null | what has to allow it besides, outside of the stack
notes | list of strings | what to know besides
""",
    "versions show": """
format | string | `jupyterhub-aws/versions/1`
stack | string or null | name of the stack; null: the whole table
as_of | string | date by which support is judged
parts | list of objects | what the stack uses
parts[].part | string | name of the part
parts[].in_use | string or null | version in use
parts[].newest_known | string or null | newest version in the library's table
parts[].supported_until | string or null | date
parts[].days_left | integer or null | days until then
parts[].status | string | `current`, `newer`, `ending`, `ended`, `insecure` or `unverified`
parts[].says | string | the verdict
parts[].fix | string or null | what to do
""",
}
_DIFFERENCE = """
format | string | `jupyterhub-aws/diff/1`
stack | string | name of the stack
old | object | the older side
old.source | string | file or ref
old.kind | string | `plan`, `preview` or `configuration`
old.as_of | string or null | date of the plan
new | object | the newer side, with the same keys
worst | string or null | the gravest class of the effects
counts | object | number of resources by operation
effects | list of objects | what the change means
effects[].class | string | as `gate.allow` calls it
effects[].topic | string | what it touches
effects[].says | string | the sentence
effects[].subject | string | resource or option
effects[].about | string | `TYPE::NAME` of the resource
changes | list of objects | each resource that changes
changes[].urn | string | its Pulumi URN
changes[].subject | string | `TYPE::NAME`
changes[].op | string | `create`, `update`, `replace`, `delete` or `import`
changes[].because | list of strings | properties that force a replacement
changes[].certainty | string | `engine` (a preview says so), `documented` or `engine decides`
changes[].delete_first | boolean | the old one goes before the new one is there
changes[].kept | boolean | AWS keeps it although it leaves the state
changes[].refused | boolean | protection lets `up` fail
changes[].properties | list of objects | old and new value of each property, secrets masked
configuration | list of objects | options that changed
images | list of objects | container images that changed
cost | object or null | the two bills, in USD
checks | list of objects | findings that are new
limits | list of strings | what this comparison cannot know
"""
_CHANGE = {
    "diff": _DIFFERENCE,
    "gate": f"""{_DIFFERENCE}
gate | object | the verdict
gate.format | string | `jupyterhub-aws/gate/1`
gate.passes | boolean | it may be merged
gate.allowed | list of strings | classes that the older side's policy allows
gate.within_cost_limits | boolean | money is within `gate.cost`
gate.acknowledged | list of strings | lines that a reviewer wrote
gate.missing | list of objects | what needs a line: line, label, class, subject, reasons
gate.failures | list | findings that fail
""",
    "upgrade plan": """
format | string | `jupyterhub-aws/upgrade/1`
stack | string | name of the stack
from | string | Kubernetes minor now
to | string | Kubernetes minor wanted
steps | list of objects | in order
steps[].title | string | what the step does
steps[].change | object | options of the stack file to set
steps[].commands | list of strings | to run
steps[].takes | string | how long
steps[].back | string | how to go back
steps[].notes | list of strings | what to know
steps[].effects | list of objects | as of `jhub diff`
steps[].order | list of strings | order of resources
steps[].worst | string or null | the gravest class of the effects
apis | list of strings | Kubernetes APIs that the stack uses
""",
    "migrate": """
format | string | `jupyterhub-aws/migrate/1`
written | boolean | files were written
files | list of objects | the files that were looked at
files[].path | string | the file
files[].from | integer | its format before
files[].to | integer | format of this version
files[].changes | boolean | there is something to write
files[].edits | list of objects | names and values that change
files[].edits[].path | string | option
files[].edits[].of | string | `name` or `value`
files[].edits[].old | string | before
files[].edits[].new | string | after
files[].difference | list of strings | lines of a unified diff, secrets masked
""",
}
_STEPS = """
steps | list of objects | what was done, in order
steps[].what | string | what the step does
steps[].state | string | `done`, or `already so` where there was nothing to do
steps[].subjects | list of strings | {}; empty: nothing to do
"""
_PAUSE_STEPS = _STEPS.format("what it was done to: servers, groups of nodes, databases, hubs")
_LEFT = """
commands | list of strings | what is left to run, in order; empty: nothing
says | string | the same in words
"""
_REVISION = """
NAME.revision | integer | its number
NAME.status | string | Helm's: `deployed`, `superseded`, `failed`, …
NAME.chart | string | chart with its version
NAME.updated | string | when it was made, as Helm says it
"""
_RESTORE = """
hub | string | name of the hub
user | string or null | whose home; null: all homes of the hub
kind | string | `directory` of a file system, `volume`, or with `restore plan --database` `database`
source | string or null | what the backup is of: a path of the file system, or the id of a volume
target | string or null | where it comes back: a path of the file system, or the name of a claim
namespace | string or null | namespace of the claim
backup | object or null | the backup that is taken, with the keys of `recovery_points` of `jhub backup list`
backup.arn | string | of the backup
backup.resource | string | ARN of what it is of
backup.kind | string | kind of the resource
backup.made | string | time in UTC, ISO 8601
backup.state | string | as AWS says it
backup.bytes | integer or null | size in bytes
backup.vault | string or null | name of the vault
backup.region | string | where it is
backup.until | string or null | when it expires, time in UTC, ISO 8601
"""
_OPERATE = {
    "pause": f"""
format | string | `jupyterhub-aws/pause/1`
stack | string | name of the stack
state | string | `paused`
file | string or null | the stack file, which says `paused: true` now; null: its cloud stack's says it
file_changed | boolean | this run wrote it: commit it
applied | boolean | `pulumi up` ran
maintenance_pages | list of strings | hubs whose users read a maintenance page as soon as `pulumi up` has run
{_PAUSE_STEPS}
{_LEFT}
""",
    "resume": f"""
format | string | `jupyterhub-aws/resume/1`
stack | string | name of the stack
state | string | `resumed`, or `needs up`: run what is in `commands`
file | string or null | the stack file, which no longer says `paused: true`; null: its cloud stack's said it
file_changed | boolean | this run wrote it: commit it
applied | boolean | `pulumi up` ran
{_PAUSE_STEPS}
{_LEFT}
""",
    "drain": f"""
format | string | `jupyterhub-aws/drain/1`
stack | string | name of the stack
pool | string | name of the pool
generation | integer or null | the generation that was asked for
state | string | `drained`, or with `--no-wait` `cordoned`: no server starts there any more
nodes | list of strings | names of the nodes that were meant
servers | list of objects | users' servers that are still on them
servers[].hub | string | name of the hub
servers[].user | string | name of the user
servers[].server | string | name of a named server; empty: the default one
warning | string or null | why no user can start a server in this pool until nodes have gone
not_needed | string or null | option of the stack file to take out, before the next `pulumi up`
{_STEPS.format("what it was done to: nodes, servers")}
says | string | the same in words
""",
    "announce": """
format | string | `jupyterhub-aws/announcements/1`
stack | string | name of the stack
hub | string | name of the hub
added? | integer | with a text: number of the new announcement
removed? | integer | with `--clear`: how many were removed
announcements | list of objects | what users read now or later
announcements[].number | integer | for `--clear`
announcements[].text | string | what users read
announcements[].from | string | time in UTC, ISO 8601
announcements[].until | string | time in UTC, ISO 8601
""",
    "backup list": """
format | string | `jupyterhub-aws/backups/1`
stack | string | name of the stack
recovery_points | list of objects | every backup
recovery_points[].arn | string | of the backup
recovery_points[].resource | string | ARN of what it is of
recovery_points[].kind | string | kind of the resource
recovery_points[].made | string | time in UTC, ISO 8601
recovery_points[].state | string | as AWS says it
recovery_points[].bytes | integer or null | size in bytes
recovery_points[].vault | string or null | name of the vault
recovery_points[].region | string | where it is
recovery_points[].until | string or null | when it expires, time in UTC, ISO 8601
resources | list of objects | everything of the stack that holds data
resources[].arn | string | its ARN
resources[].kind | string | its kind
resources[].name | string | its name
resources[].covered | boolean | a backup plan has it
""",
    "backup now": f"""
format | string | `jupyterhub-aws/backup-now/1`
stack | string | name of the stack
backups | list of objects | the new backup of everything that holds data
backups[].arn | string or null | of the backup; null where AWS does not say it
backups[].resource | string | ARN of what it is of
backups[].kind | string | kind of the resource
backups[].name | string | name of the resource
backups[].job | string or null | id of the job of AWS Backup; null: a snapshot of EC2
{_STEPS.format("what had no backup of the last hour")}
says | string | the same in words
""",
    "restore plan": f"""
format | string | `jupyterhub-aws/restore-plan/1`
stack | string | name of the stack
{_RESTORE}
change | object | with `--database`: options of the stack file that bring it back, by hand
commands | list of strings | what does it, in order; empty with `--database`
says | string | the same in words
""",
    "restore run": f"""
format | string | `jupyterhub-aws/restore/1`
stack | string | name of the stack
{_RESTORE}
restored | boolean | this run did it; false: it was there already
entries | integer or null | files and directories that came back; null: a volume
volume | string or null | id of the new volume
{_STEPS.format("what was not there yet")}
says | string | the same in words
""",
    "restore drill": f"""
format | string | `jupyterhub-aws/restore-drill/1`
stack | string | name of the stack
{_RESTORE}
files | integer | files that came back
bytes | integer | their size in bytes
same | integer | files that are as they were
changed | integer | files that were written or deleted since the backup
differences | integer | files that came back otherwise: above 0 the exit code is 1
seconds | integer | from asking AWS to the last file compared
differing | list of strings | their names, quoted
record | string | the file that was written: commit it
{_STEPS.format("what was not there yet")}
says | string | the same in words
""",
    "restart": """
format | string | `jupyterhub-aws/restart/1`
stack | string | name of the stack
hub | string | name of the hub
part | string | `hub` or `proxy`: its new pod is ready
users | list of strings or null | users who had a server there; null: the hub was not reached
says | string | what it means for users
""",
    "rollback": f"""
format | string | `jupyterhub-aws/rollback/1`
stack | string | name of the stack
hub | string | name of the hub
from | object | the newest revision before, with the keys of `revisions` of `jhub history`
{_REVISION.replace("NAME", "from")}
to | object | the older revision that its pods run now, with the same keys
{_REVISION.replace("NAME", "to")}
says | string | what it means, and what to set back besides
""",
    "destroy plan": """
format | string | `jupyterhub-aws/destroy/1`
stack | string | name of the stack
paused | boolean | it is paused now
before | list of objects | what to do first
before[].why | string | the reason
before[].run | string or null | the command
steps | list of objects | one for each stack, in order
steps[].stack | string | name of the stack
steps[].where | string | where it is run; empty: anywhere
steps[].run | string | the command
steps[].goes | integer | resources that are deleted
steps[].order | list of objects | part and number of resources, in order
steps[].added_by_the_program | list | resources of your own program
steps[].stays | list of objects | resources that are kept: urn, type, name, protected
steps[].forgotten | list | resources that only leave the state
steps[].ends_with_the_cluster | list of objects | Kubernetes objects that go with the cluster
left_behind | list of objects | what Pulumi does not know
left_behind[].what | string | what it is
left_behind[].why | string | why it stays
left_behind[].find | string | the command that finds it
left_behind[].blocks | boolean | the teardown hangs on it
monthly | object | what stays costs
monthly.lines | list of objects | lines of the bill, as `cost.lines` of the plan
monthly.together | number or null | USD a month
monthly.left_out | list of strings | what the bill does not have
afterwards | string or null | the command to run afterwards
""",
    "destroy hub": """
format | string | `jupyterhub-aws/destroy-hub/1`
stack | string | name of the stack
hub | string | name of the hub
unprotect | list of strings | commands that let its resources leave the state
imports | object | the entries of `imports` that bring them back
""",
    "orphans": """
format | string | `jupyterhub-aws/orphans/1`
stack | string | name of the stack
account | string | id of the AWS account; empty: the stack makes nothing in AWS
region | string | region of the stack; empty in the same case
orphans | list of objects | what was left, and may go
orphans[].kind | string | kind of the resource
orphans[].name | string | its name
orphans[].id | string | its id
orphans[].arn | string | its ARN
orphans[].kept | string | why it stays; empty: it may go
orphans[].monthly | number or null | USD a month; null where it is not known
orphans[].note | string or null | a remark
orphans[].region | string | where it is
orphans[].delete | string or null | the command that would delete it
kept | list of objects | what the stack file protects, with the same keys
""",
}
_ADOPT = {
    "adopt scan": """
format | string | `jupyterhub-aws/adoption/1`
stack | string | name of the stack
file | string | the stack file that was written
finished | boolean | nothing is left to fill in, to fix or to look for by hand: exit code 0
account | string | id of the AWS account
region | string | region of the cluster
cluster | string | name of the EKS cluster
resources_seen | integer | AWS resources that were read
kind | string | `eks`: the cluster is adopted; `existing`: it is used in place; `as written`: with `--again`
reasons | list of strings | why it is used in place
imports | object | what is adopted: `TYPE::NAME` of each resource, with its id
protected | list of strings | `TYPE::NAME` of what the program protects for good
differences | list of objects | what the `up` that adopts changes
differences[].subject | string | `TYPE::NAME`
differences[].path | string | the property
differences[].old | any | its value in AWS
differences[].new | any | its value after the `up`
differences[].how | string | `in place` or `engine decides`
differences[].because | string or null | what is known of it besides
differences[].effect | string or null | what it does to users, where it does more than it says
missing | list of objects | what has no counterpart in AWS, and would be made
missing[].subject | string | `TYPE::NAME`
missing[].why | string | why there is none
missing[].unreadable | boolean | it could not be looked for: it may exist
refused | list of objects | what exists and cannot be imported: `up` would replace it
refused[].subject | string | `TYPE::NAME`
refused[].id | string | its id in AWS
refused[].because | list of strings | the properties that would replace it
unreadable | list of objects | what AWS did not show: nothing follows from its absence
unreadable[].topic | string | kind of resources
unreadable[].operation | string | the call to AWS
unreadable[].why | string | what AWS answered
to_fill_in | list of objects | options of the stack file that only you know
to_fill_in[].path | string | the option
to_fill_in[].what | string | what belongs there
problems | list of objects | what `jhub plan` finds wrong with the file
problems[].id | string | the kind of problem
problems[].path | string | option of the stack file
problems[].what | string | what is wrong
problems[].fix | string | what to do
""",
    "adopt config": """
format | string | `jupyterhub-aws/conversion/1`
stack | string | name of the stack
file | string | the stack file that was written
finished | boolean | nothing is left to fill in or to fix, and no rule of access is lost: exit code 0
lost_access_rules | list of objects | rules that kept users out, which the new hub does not have
lost_access_rules[].path | string | key in the chart's values
lost_access_rules[].why | string | why it has no counterpart
to_fill_in | list of objects | options of the stack file that only you know
to_fill_in[].path | string | the option
to_fill_in[].what | string | what belongs there
secrets | list of objects | secrets to set; their values are not in the file and not here
secrets[].key | string | name of the secret
secrets[].path | string | key in the chart's values that has it
secrets[].run | string | the command that sets it
values | list of objects | each value of the chart's, by its path
values[].path | string | key in the chart's values
values[].status | string | `carried`, `settled` (the stack decides it), `fill in` or `listed` (not carried over)
values[].why | string | the reason, or the option of the stack file; may be empty
values[].file | string or null | file that the value is from, where several were given
other_charts | list of objects | values in the files that are not the chart's, and are not carried over
other_charts[].path | string | key in the files
other_charts[].why | string | why not
notes | list of strings | what to know
problems | list of objects | what `jhub plan` finds wrong with the file
problems[].id | string | the kind of problem
problems[].path | string | option of the stack file
problems[].what | string | what is wrong
problems[].fix | string | what to do
""",
    "adopt check": """
format | string | `jupyterhub-aws/adopt-check/1`
stack | string | name of the stack
verdict | string | `adopts`, `done`, `nothing`, `more` (it still changes something) or `wrong`
imported | list of strings | `TYPE::NAME` of what the next `up` imports
in_state | list of strings | adopted already
created | list of strings | made
updated | list of strings | changed in place
added | list of strings | what changes among the resources of your own program
faults | list of objects | what the `up` must not do
faults[].subject | string | `TYPE::NAME`
faults[].what | string | what would happen
faults[].fix | string | what to change
""",
    "homes map": """
format | string | `jupyterhub-aws/homes-map/1`
users | list of objects | by name
users[].user | string | the name as JupyterHub has it
users[].old | string | the directory before
users[].new | string | the directory after
users[].stays | boolean | both are the same
users[].old_holds_files? | boolean or null | with `--root`: false: empty, null: no directory
users[].new_holds_files? | boolean or null | the same of the new one
collisions | list of objects | why the map cannot be used
collisions[].what | string | which users would share files
collisions[].fix | string | what to do
unowned? | list of strings | with `--root`: directories of no user in the list
""",
}
_ISOLATED = {
    "sites": """
[].host | string | host name
[].who | string | what connects: `nodes`, `hub`, `servers`, `browsers` or `operators`
[].why | string | what for
[].resource | string or null | URN of the resource that needs it
""",
    "bundle list": """
format | string | `jupyterhub-aws/bundle-list/1`
stack | string | name of the stack
registry | string or null | the registry that nodes pull from
items | list of objects | what the stack needs
items[].kind | string | `image`, `chart`, `file` or `wheels`
items[].key | string | reference or name
items[].needed_by | list of strings | parts of the stack
items[].digest | string or null | from the lock
items[].size | integer or null | bytes, from the lock
provided_by_eks | list of strings | what EKS brings itself
""",
    "bundle verify": """
format | string | `jupyterhub-aws/bundle-verify/1`
folder | string | the bundle
items | integer | number of items in its lock
bytes | integer | their size in bytes, from the lock
problems | list of objects | what is wrong; empty: as the lock says
problems[].id | string | the kind of problem
problems[].path | string | item or file
problems[].what | string | what is wrong
problems[].fix | string | what to do
""",
}
TEXTS = {**_COMMON, **_BUILD, **_LOOK, **_CHANGE, **_OPERATE, **_ADOPT, **_ISOLATED}


@dataclass(frozen=True)
class DataKey:
    """One key: `optional` where it is not in all data."""

    path: str
    type: str
    means: str
    optional: bool


def keys(name: str) -> list[DataKey]:
    """The keys of a command's data, in the order of the page."""
    found = []
    for line in TEXTS[name].strip().splitlines():
        if line:
            path, kind, means = line.split(" | ", 2)
            found.append(DataKey(path.removesuffix("?"), kind, means, path.endswith("?")))
    return found


def faults(name: str, data: Any) -> list[str]:
    """What in this data is not as it is described."""
    known = {key.path: key for key in keys(name)}
    return list(dict.fromkeys(_faults(known, "", data)))


def _faults(known: dict[str, DataKey], path: str, value: Any) -> Iterator[str]:
    inner = {key.removeprefix(f"{path}." if path else "") for key in known if _inside(key, path)}
    if isinstance(value, list):
        for item in value:
            yield from _faults(known, f"{path}[]", item)
    elif isinstance(value, dict) and inner:
        yield from (f"{path}.{key} is not described" for key in value.keys() - inner)
        for key in inner:
            whole = f"{path}.{key}" if path else key
            if key not in value:
                if not known[whole].optional:
                    yield f"{whole} is missing"
            elif not _fits(known[whole].type, value[key]):
                yield f"{whole} is no {known[whole].type} ({value[key]!r:.40})"
            else:
                yield from _faults(known, whole, value[key])


def _inside(key: str, path: str) -> bool:
    rest = key.removeprefix(f"{path}.") if path else key
    return (not path or key.startswith(f"{path}.")) and "." not in rest and "[]" not in rest


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "list": (list,),
    "list of strings": (list,),
    "list of objects": (list,),
}


def _fits(kind: str, value: Any) -> bool:
    plain = kind.removesuffix(" or null")
    if plain == "any":
        return True
    if value is None:
        return plain != kind
    if isinstance(value, bool) or not isinstance(value, _TYPES[plain]):
        return plain == "boolean" and isinstance(value, bool)
    inner = {"list of strings": str, "list of objects": dict}.get(plain)
    return inner is None or all(isinstance(item, inner) for item in value)
