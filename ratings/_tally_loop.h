/* Counting battles by ordered pair and outcome, for data/tally.py: included by _loops.c alone.
 *
 * The counters are bytes: 300 models have 360 kB of them, which stay in a core's own cache, as four times that would
 * not. Each time one has gone round, 256 is added to the table. Codes are checked where they are read, so that no
 * battle is looked at twice.
 */

#define WIDEN(type)                                                                                              \
    for (Py_ssize_t t = 0; t < n; t++)                                                                           \
        wide[t] = (uint32_t)((const type *)column->buf)[start + t];

/* The n codes from `start` as uint32, in `wide` where they are not; one that is none has the sign bit. */
static const uint32_t *read_codes(const Py_buffer *column, Py_ssize_t start, Py_ssize_t n, uint32_t *wide)
{
    int is_signed = strchr("bhilq", column->format[0]) != NULL;
    if (column->itemsize == 4)
        return (const uint32_t *)column->buf + start;
    if (column->itemsize == 8) {
        const uint64_t *code = (const uint64_t *)column->buf + start;
        uint64_t all = 0;
        for (Py_ssize_t t = 0; t < n; t++) {
            all |= code[t];
            wide[t] = (uint32_t)code[t];
        }
        if (all >> 32)
            wide[0] = UINT32_MAX;
    } else if (column->itemsize == 2 && is_signed)
        WIDEN(int16_t)
    else if (column->itemsize == 2)
        WIDEN(uint16_t)
    else if (is_signed)
        WIDEN(int8_t)
    else
        WIDEN(uint8_t)
    return wide;
}

/* cell[t] = (a * models + b) * KINDS + outcome of n battles; false when a code is out of range. */
static int cells_of(const uint32_t *i, const uint32_t *j, const uint8_t *outcome, Py_ssize_t n, uint32_t models,
                    uint32_t *cell)
{
    const uint32_t last = models - 1;
    uint32_t wrong = 0;
    for (Py_ssize_t t = 0; t < n; t++) { /* the sign bit tells of a code below 0 or above the last */
        uint32_t a = i[t], b = j[t], y = outcome[t];
        wrong |= a | (last - a) | b | (last - b) | (KINDS - 1 - y);
        cell[t] = (a * models + b) * KINDS + y;
    }
    return !(wrong >> 31);
}

/* Add the counts to `table` of so many models: false, with the table worthless, when a code is out of range. */
static int count(const Py_buffer *a, const Py_buffer *b, const Py_buffer *y, uint32_t models, int32_t *table,
                 uint8_t *counter)
{
    uint32_t wide[2][LOOK], cell[LOOK];
    for (Py_ssize_t start = 0; start < y->len; start += LOOK) {
        Py_ssize_t left = y->len - start, n = left < LOOK ? left : LOOK;
        const uint32_t *i = read_codes(a, start, n, wide[0]), *j = read_codes(b, start, n, wide[1]);
        if (!cells_of(i, j, (const uint8_t *)y->buf + start, n, models, cell))
            return 0;
        for (Py_ssize_t t = 0; t < n; t++)
            if (!++counter[cell[t]])
                table[cell[t]] += 256;
    }
    for (Py_ssize_t k = 0; k < (Py_ssize_t)models * models * KINDS; k++)
        table[k] += counter[k];
    return 1;
}

static PyObject *tally(PyObject *module, PyObject *args)
{
    PyObject *object[4];
    Py_buffer a = {0}, b = {0}, y = {0}, table = {0};
    Py_ssize_t models;
    uint8_t *counter = NULL;
    int in_range = -1; /* an exception is set */
    const char *integers = "bBhHiIlLqQ";
    if (!PyArg_ParseTuple(args, "OOOnO", &object[0], &object[1], &object[2], &models, &object[3]))
        return NULL;
    if (take(object[0], &a, integers, 0, 0, "model_a") || take(object[1], &b, integers, 0, 0, "model_b") ||
        take(object[2], &y, "B", 1, 0, "outcome") || take(object[3], &table, "il", 4, 1, "table"))
        goto done;
    if (a.len != y.len * a.itemsize || b.len != y.len * b.itemsize)
        PyErr_SetString(PyExc_ValueError, "the columns of battles differ in length");
    else if (models < 1 || models > MOST || table.len != models * models * KINDS * 4)
        PyErr_SetString(PyExc_ValueError, "the table does not have the size of the models");
    else if (!(counter = PyMem_Calloc(models * models * KINDS, 1)))
        PyErr_NoMemory();
    else
        in_range = count(&a, &b, &y, (uint32_t)models, table.buf, counter);
done:
    PyMem_Free(counter);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    PyBuffer_Release(&y);
    PyBuffer_Release(&table);
    return in_range < 0 ? NULL : PyBool_FromLong(in_range);
}
