// Comes first in every file of a ThreadSanitizer build. g++ 12's ThreadSanitizer does not know the
// pthread_*_clocklock functions, through which libstdc++ waits for a mutex with a deadline: it
// would report an unlock of an unlocked mutex. Without these macros libstdc++ takes the ones it
// knows.
#pragma once

#include <cstddef>

#undef _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK
#undef _GLIBCXX_USE_PTHREAD_RWLOCK_CLOCKLOCK
