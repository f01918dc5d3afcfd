/* Score sums of packed votes by cluster, for inference/packed_scores.py: included by _loops.c alone. */

enum { RECORD = 16, WAYS = 2 };
#define MIXED (1u << 31) /* set in the second code of a vote that shares it with others */

typedef struct {
    uint32_t vote, first, second; /* `first` has the outcome in its two lowest bits */
    uint16_t a, b;
} Record;

typedef struct {
    int column, only_shared; /* which code; whether votes without MIXED are alone */
    Py_ssize_t groups, placed, together;
    Py_buffer present, place, sums, met; /* place.buf is NULL where the group is the rest of a division */
} Way;

typedef struct {
    Py_buffer records, models, values, shared; /* shared.buf is NULL with one way */
    Py_ssize_t size, parameters, each /* 0: `values` has a strength for each model */, length, ways, joint;
    Way way[WAYS];
} Packed;

static void leave_packed(Packed *votes)
{
    Py_buffer *own[] = {&votes->records, &votes->models, &votes->values, &votes->shared};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        PyBuffer_Release(own[k]);
    for (int w = 0; w < WAYS; w++) {
        Py_buffer *of_way[] = {&votes->way[w].present, &votes->way[w].place, &votes->way[w].sums, &votes->way[w].met};
        for (size_t k = 0; k < sizeof of_way / sizeof *of_way; k++)
            PyBuffer_Release(of_way[k]);
    }
}

static int wrong_size(const char *name)
{
    PyErr_Format(PyExc_ValueError, "%s does not have the right size", name);
    return -1;
}

/* `given` is (column, only_shared, groups, placed, present, place or None, sums, met). */
static int take_way(PyObject *given, const Packed *votes, Way *way)
{
    PyObject *present, *place, *sums, *met;
    if (!PyArg_ParseTuple(given, "ipnnOOOO", &way->column, &way->only_shared, &way->groups, &way->placed, &present,
                          &place, &sums, &met) ||
        take(present, &way->present, "?B", 1, 1, "present") || take(sums, &way->sums, "d", 8, 1, "sums") ||
        take(met, &way->met, "d", 8, 1, "met") ||
        (place != Py_None && take(place, &way->place, "il", 4, 1, "place")))
        return -1;
    Py_ssize_t folded = way->present.len;
    if (folded < 1 || folded & (folded - 1) || (way->place.buf && way->place.len != 4 * folded))
        return wrong_size("present or place");
    if (way->groups < 1 || way->sums.len != 8 * way->groups * votes->parameters ||
        way->met.len != 8 * way->groups * votes->size)
        return wrong_size("sums or met");
    return 0;
}

/* 0, or -1 with an exception set. */
static int take_packed(PyObject *args, Packed *votes, uint32_t *unknown)
{
    PyObject *records, *models, *values, *ways, *shared;
    Py_ssize_t none;
    if (!PyArg_ParseTuple(args, "OOnnOO!O", &records, &models, &votes->size, &none, &values, &PyTuple_Type, &ways, &shared) ||
        take(records, &votes->records, "Bbc", 1, 0, "records") || take(models, &votes->models, "il", 4, 0, "models") ||
        take(values, &votes->values, "d", 8, 0, "values") ||
        (shared != Py_None && take(shared, &votes->shared, "d", 8, 1, "shared")))
        return -1;
    *unknown = none < 0 ? UINT32_MAX : (uint32_t)none; /* no code has 32 bits */
    votes->length = votes->records.len / RECORD;
    votes->ways = PyTuple_GET_SIZE(ways);
    if (votes->records.len % RECORD || votes->size < 1 || votes->size > MOST)
        return wrong_size("records");
    Py_ssize_t cells = votes->size * votes->size * KINDS;
    votes->each = votes->values.len == 8 * votes->size ? 0 : votes->values.len / 8 / cells;
    votes->parameters = votes->size + (votes->each ? votes->each - 2 : 0);
    if (votes->each ? votes->each < 2 || votes->values.len != 8 * cells * votes->each : votes->values.len != 8 * votes->size)
        return wrong_size("values");
    if (votes->ways < 1 || votes->ways > WAYS || (votes->ways == WAYS) != (votes->shared.buf != NULL))
        return wrong_size("ways");
    for (int w = 0; w < votes->ways; w++)
        if (take_way(PyTuple_GET_ITEM(ways, w), votes, &votes->way[w]))
            return -1;
    votes->joint = votes->shared.len / 8 / votes->parameters;
    if (votes->shared.buf && (votes->joint < 1 || votes->shared.len != 8 * votes->joint * votes->parameters))
        return wrong_size("shared");
    return 0;
}

/* The index of a model among those of the board; -1 for one that is not there. */
static inline int32_t index_of(const Packed *votes, uint16_t number)
{
    return number < votes->models.len / 4 ? ((const int32_t *)votes->models.buf)[number] : -1;
}

/* Whether the loop is right for all votes: each has a cluster of the main way, and models of the board. */
static int is_plain(const Packed *votes, uint32_t unknown)
{
    const Record *record = votes->records.buf;
    int must_share = votes->way[0].column && votes->way[0].only_shared;
    for (Py_ssize_t t = 0; t < votes->length; t++) {
        int32_t i = index_of(votes, record[t].a), j = index_of(votes, record[t].b);
        if (i < 0 || i >= votes->size || j < 0 || j >= votes->size || record[t].first >> 2 == unknown ||
            (must_share && !(record[t].second & MIXED)))
            return 0;
    }
    return 1;
}

/* The code of a vote's cluster; -1 where it is alone. */
static inline int64_t code_of(const Way *way, const Record *record)
{
    if (!way->column)
        return record->first >> 2;
    return way->only_shared && !(record->second & MIXED) ? -1 : (int64_t)(record->second & (MIXED - 1));
}

/* The group of a code, whose cluster was seen; a cluster without a place gets the next one, or place 0. */
static inline Py_ssize_t group_of(Way *way, uint32_t code)
{
    uint32_t folded = code & (uint32_t)(way->present.len - 1);
    ((uint8_t *)way->present.buf)[folded] = 1;
    way->together++;
    if (!way->place.buf)
        return code % (uint32_t)way->groups;
    int32_t *place = (int32_t *)way->place.buf + folded;
    if (*place < 0) {
        *place = way->placed < way->groups ? (int32_t)way->placed : 0;
        way->placed++;
    }
    return *place < way->groups ? *place : 0;
}

static inline void add_values(double *sum, const double *value, const Packed *votes, size_t i, size_t j)
{
    sum[i] += value[0];
    sum[j] += value[1];
    for (Py_ssize_t k = 2; k < votes->each; k++)
        sum[votes->size + k - 2] += value[k];
}

/* The values of a vote: from the table, or by strengths of the models, which stay in the nearest cache. */
static inline const double *values_of(const Packed *votes, size_t i, size_t j, uint32_t outcome, double *own)
{
    const double *values = votes->values.buf;
    if (votes->each)
        return values + ((i * votes->size + j) * KINDS + outcome) * votes->each;
    own[0] = SCORE[outcome] - values[i] / (values[i] + values[j]);
    own[1] = -own[0];
    return own;
}

static void add_packed(Packed *votes)
{
    const Record *record = votes->records.buf;
    const size_t models = votes->size, parameters = votes->parameters;
    double own[2];
    for (Py_ssize_t t = 0; t < votes->length; t++) {
        size_t i = index_of(votes, record[t].a), j = index_of(votes, record[t].b);
        const double *value = values_of(votes, i, j, record[t].first & 3, own);
        int64_t code[WAYS] = {-1, -1};
        for (int w = 0; w < votes->ways; w++) {
            Way *way = &votes->way[w];
            if ((code[w] = code_of(way, &record[t])) < 0)
                continue;
            size_t group = group_of(way, (uint32_t)code[w]);
            double *met = (double *)way->met.buf + group * models;
            add_values((double *)way->sums.buf + group * parameters, value, votes, i, j);
            met[i] += 1.0;
            met[j] += 1.0;
        }
        if (code[0] >= 0 && code[1] >= 0) {
            size_t both = (((uint64_t)code[0] * 0x9E3779B1u ^ (uint64_t)code[1] * 0x85EBCA77u) >> 7) % (uint64_t)votes->joint;
            add_values((double *)votes->shared.buf + both * parameters, value, votes, i, j);
        }
    }
}

static PyObject *packed(PyObject *module, PyObject *args)
{
    Packed votes;
    uint32_t unknown;
    PyObject *result = NULL;
    memset(&votes, 0, sizeof votes);
    if (!take_packed(args, &votes, &unknown)) {
        if (is_plain(&votes, unknown)) {
            add_packed(&votes);
            result = Py_BuildValue("((nn)(nn))", votes.way[0].together, votes.way[0].placed, votes.way[1].together,
                                   votes.way[1].placed);
        } else {
            result = Py_NewRef(Py_None);
        }
    }
    leave_packed(&votes);
    return result;
}
