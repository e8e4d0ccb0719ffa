from tests.support.fixtures import browser as browser
from tests.support.fixtures import platform as platform
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack
