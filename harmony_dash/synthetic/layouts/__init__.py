"""The twelve providers: what each sends, in which files, words and units."""

from harmony_dash.synthetic.layouts.austria_switzerland import AT_CH
from harmony_dash.synthetic.layouts.czechia import CZ
from harmony_dash.synthetic.layouts.eortc import EORTC
from harmony_dash.synthetic.layouts.france import FR_ADULT, FR_CHILD
from harmony_dash.synthetic.layouts.germany import DE_BFM, DE_COALL, DE_GMALL
from harmony_dash.synthetic.layouts.iberia import ES_PT
from harmony_dash.synthetic.layouts.italy import IT
from harmony_dash.synthetic.layouts.netherlands import NL
from harmony_dash.synthetic.layouts.nordic import NORDIC

LAYOUTS = (NL, NORDIC, FR_CHILD, FR_ADULT, EORTC, DE_BFM, DE_COALL, DE_GMALL, AT_CH, IT, ES_PT, CZ)

__all__ = ["LAYOUTS"]
