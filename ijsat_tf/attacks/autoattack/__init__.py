"""AutoAttack, and its stages APGD, FAB and Square."""

from ijsat_tf.attacks.autoattack.apgd import APGD
from ijsat_tf.attacks.autoattack.autoattack import AutoAttack, Verdict
from ijsat_tf.attacks.autoattack.fab import FAB
from ijsat_tf.attacks.autoattack.square import Square

__all__ = ["APGD", "AutoAttack", "FAB", "Square", "Verdict"]
