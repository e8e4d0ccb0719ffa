from tests.adapters.conftest import clock as clock
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack
