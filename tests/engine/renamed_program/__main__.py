"""Components before (NAMES=old) and after they got other names, types and parents: most of them
with an alias, or below one that has one.
"""

import os

import pulumi
from pulumi import Alias, ResourceOptions


class Thing(pulumi.ComponentResource):
    """A component of any type."""

    def __init__(
        self,
        kind: str,
        name: str,
        parent: pulumi.Resource | None = None,
        aliases: list[Alias | str] | None = None,
    ) -> None:
        super().__init__(
            f"renamed:index:{kind}", name, None, ResourceOptions(parent=parent, aliases=aliases)
        )
        self.register_outputs({})


if os.environ["NAMES"] == "old":
    shop = Thing("Shop", "shop")
    Thing("Drawer", "drawer", Thing("Till", "shop-till", shop))
    Thing("Bulb", "lamp-bulb", Thing("Lamp", "lamp"))
    Thing("Bell", "bell", Thing("Door", "door"))
    Thing("Stair", "stair")
    Thing("Same", "same", Thing("Roof", "roof"))
else:
    house = Thing("House", "house")
    store = Thing(
        "Store",
        "store",
        house,
        [Alias(type_="renamed:index:Shop", name="shop", parent=pulumi.ROOT_STACK_RESOURCE)],
    )
    # Its URN follows from its parent's alias, and its name, which begins with the parent's, from
    # the parent's old one.
    Thing(
        "Chest", "drawer", Thing("Till", "store-till", store), [Alias(type_="renamed:index:Drawer")]
    )
    Thing("Bulb", "lamp-bulb", Thing("Lamp", "lamp", house, [Alias(parent=None)]))
    # No alias: the engine deletes the old ones and makes new ones.
    Thing("Bell", "bell", Thing("Door", "door", house))
    Thing(
        "Stair",
        "stairs",
        house,
        [f"urn:pulumi:{pulumi.get_stack()}::renamed::renamed:index:Stair::stair"],
    )
    # An alias that nothing needs any more.
    Thing("Same", "same", Thing("Roof", "roof", None, [Alias(name="gable")]))
