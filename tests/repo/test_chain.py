"""`pulumi up` waits for nothing that it could do meanwhile."""

from benchmarks.chain import UNAVOIDABLE, longest_chain, total, unavoidable
from tests.checks.doctored import dev


def test_the_longest_chain_is_the_unavoidable_one() -> None:
    chain = longest_chain(dev()[1])
    assert total(chain) <= unavoidable() + 2, " → ".join(resource.name for resource in chain)
    kinds = [resource.type for resource in chain if not resource.type.startswith("pulumi:providers:")]
    assert kinds == list(UNAVOIDABLE)
