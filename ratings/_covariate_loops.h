/* Passes over battles with covariates, for models/covariate_passes.py: included by _loops.c alone. */

typedef struct {
    Battles battles;
    Py_buffer estimate, weight; /* weight.buf is NULL when every battle weighs one */
    Py_buffer *column;
    Py_ssize_t models, columns;
} Passage;

static void leave_passage(Passage *pass)
{
    for (Py_ssize_t k = 0; k < pass->columns && pass->column; k++)
        PyBuffer_Release(&pass->column[k]);
    PyMem_Free(pass->column);
    PyBuffer_Release(&pass->estimate);
    PyBuffer_Release(&pass->weight);
    leave_battles(&pass->battles);
}

/* `given` is (model_a, model_b, outcome, weight or None, tuple of columns, estimate). */
static int take_passage(PyObject *given, Passage *pass)
{
    PyObject *a, *b, *y, *weight, *columns, *estimate;
    memset(pass, 0, sizeof *pass);
    if (!PyArg_ParseTuple(given, "OOOOO!O", &a, &b, &y, &weight, &PyTuple_Type, &columns, &estimate))
        return -1;
    pass->columns = PyTuple_GET_SIZE(columns);
    pass->column = PyMem_Calloc(pass->columns + 1, sizeof(Py_buffer));
    if (!pass->column) {
        PyErr_NoMemory();
        return -1;
    }
    if (take(estimate, &pass->estimate, "d", 8, 0, "estimate"))
        goto bad;
    pass->models = pass->estimate.len / 8 - pass->columns;
    if (take_battles(a, b, y, pass->models, &pass->battles))
        goto bad;
    if (weight != Py_None && take(weight, &pass->weight, "d", 8, 0, "weight"))
        goto bad;
    for (Py_ssize_t k = 0; k < pass->columns; k++)
        if (take(PyTuple_GET_ITEM(columns, k), &pass->column[k], "d", 8, 0, "covariate"))
            goto bad;
    for (Py_ssize_t k = 0; k < pass->columns; k++)
        if (pass->column[k].len != 8 * pass->battles.length)
            goto uneven;
    if (pass->weight.buf && pass->weight.len != 8 * pass->battles.length)
        goto uneven;
    return 0;
uneven:
    PyErr_SetString(PyExc_ValueError, "weights or covariates differ in length from the battles");
bad:
    leave_passage(pass);
    return -1;
}

/* p[t] = expit(xi_A - xi_B + z'g) of the n battles from `start`. */
static void probability(const Passage *pass, Py_ssize_t start, Py_ssize_t n, double *p)
{
    const double *xi = pass->estimate.buf, *g = xi + pass->models;
    const int32_t *i = (const int32_t *)pass->battles.a.buf + start;
    const int32_t *j = (const int32_t *)pass->battles.b.buf + start;
    for (Py_ssize_t t = 0; t < n; t++)
        p[t] = xi[j[t]] - xi[i[t]];
    for (Py_ssize_t k = 0; k < pass->columns; k++) {
        const double *z = (const double *)pass->column[k].buf + start;
        for (Py_ssize_t t = 0; t < n; t++)
            p[t] -= g[k] * z[t];
    }
    for (Py_ssize_t t = 0; t < n; t++)
        p[t] = exp(p[t]);
    for (Py_ssize_t t = 0; t < n; t++)
        p[t] = 1.0 / (1.0 + p[t]);
}

static double dot(const double *x, const double *y, Py_ssize_t n)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0}; /* four sums at once: each addition waits for the one before */
    Py_ssize_t t = 0;
    for (; t + 4 <= n; t += 4)
        for (int lane = 0; lane < 4; lane++)
            sum[lane] += x[t + lane] * y[t + lane];
    for (; t < n; t++)
        sum[0] += x[t] * y[t];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* total += sum over battles of w (y - p) x, with x = (+1 at A, -1 at B, z). */
static PyObject *gradient(PyObject *module, PyObject *args)
{
    PyObject *given, *out;
    Passage pass;
    Py_buffer total;
    double r[BLOCK];
    if (!PyArg_ParseTuple(args, "O!O", &PyTuple_Type, &given, &out) || take(out, &total, "d", 8, 1, "total"))
        return NULL;
    if (take_passage(given, &pass)) {
        PyBuffer_Release(&total);
        return NULL;
    }
    if (total.len != pass.estimate.len) {
        PyErr_SetString(PyExc_ValueError, "the gradient is as long as the estimate");
        leave_passage(&pass);
        PyBuffer_Release(&total);
        return NULL;
    }
    double *sum = total.buf;
    for (Py_ssize_t start = 0; start < pass.battles.length; start += BLOCK) {
        Py_ssize_t left = pass.battles.length - start, n = left < BLOCK ? left : BLOCK;
        const int32_t *i = (const int32_t *)pass.battles.a.buf + start;
        const int32_t *j = (const int32_t *)pass.battles.b.buf + start;
        const uint8_t *y = (const uint8_t *)pass.battles.y.buf + start;
        const double *w = pass.weight.buf ? (const double *)pass.weight.buf + start : NULL;
        probability(&pass, start, n, r);
        for (Py_ssize_t t = 0; t < n; t++)
            r[t] = (SCORE[y[t]] - r[t]) * (w ? w[t] : 1.0);
        for (Py_ssize_t t = 0; t < n; t++) {
            sum[i[t]] += r[t];
            sum[j[t]] -= r[t];
        }
        for (Py_ssize_t k = 0; k < pass.columns; k++)
            sum[pass.models + k] += dot((const double *)pass.column[k].buf + start, r, n);
    }
    leave_passage(&pass);
    PyBuffer_Release(&total);
    Py_RETURN_NONE;
}

/* For v the information w p (1 - p) and, beside it, the weight w or the squared score (w (y - p))²:
 *     pairs (models, models, 2) += v,  cross (models, 2, columns) += ±v z,  square (2, columns, columns) += v z z'
 */
static PyObject *outer(PyObject *module, PyObject *args)
{
    PyObject *given, *out[3];
    Passage pass;
    Py_buffer view[3];
    int squared;
    double value[2][BLOCK], product[BLOCK];
    if (!PyArg_ParseTuple(args, "O!pOOO", &PyTuple_Type, &given, &squared, &out[0], &out[1], &out[2]) ||
        take_passage(given, &pass))
        return NULL;
    memset(view, 0, sizeof view);
    Py_ssize_t models = pass.models, columns = pass.columns;
    Py_ssize_t length[3] = {models * models * 2, models * 2 * columns, 2 * columns * columns};
    for (int m = 0; m < 3; m++) {
        if (take(out[m], &view[m], "d", 8, 1, "a sum"))
            goto bad;
        if (view[m].len != 8 * length[m]) {
            PyErr_SetString(PyExc_ValueError, "the sums do not have the size of the estimate");
            goto bad;
        }
    }
    double *pairs = view[0].buf, *cross = view[1].buf, *square = view[2].buf;
    Py_ssize_t width = 2 * columns;
    double *row = PyMem_Calloc(BLOCK * width + 1, sizeof(double)); /* v z of both kinds, battle by battle */
    if (!row) {
        PyErr_NoMemory();
        goto bad;
    }
    for (Py_ssize_t start = 0; start < pass.battles.length; start += BLOCK) {
        Py_ssize_t left = pass.battles.length - start, n = left < BLOCK ? left : BLOCK;
        const int32_t *i = (const int32_t *)pass.battles.a.buf + start;
        const int32_t *j = (const int32_t *)pass.battles.b.buf + start;
        const uint8_t *y = (const uint8_t *)pass.battles.y.buf + start;
        const double *w = pass.weight.buf ? (const double *)pass.weight.buf + start : NULL;
        probability(&pass, start, n, value[0]);
        for (Py_ssize_t t = 0; t < n; t++) {
            double p = value[0][t], weight = w ? w[t] : 1.0, score = weight * (SCORE[y[t]] - p);
            value[0][t] = weight * p * (1.0 - p);
            value[1][t] = squared ? score * score : weight;
        }
        for (Py_ssize_t t = 0; t < n; t++) {
            double *pair = pairs + 2 * (i[t] * models + j[t]);
            pair[0] += value[0][t];
            pair[1] += value[1][t];
        }
        for (int m = 0; m < 2; m++)
            for (Py_ssize_t k = 0; k < columns; k++) {
                const double *z = (const double *)pass.column[k].buf + start;
                for (Py_ssize_t t = 0; t < n; t++)
                    product[t] = value[m][t] * z[t];
                for (Py_ssize_t t = 0; t < n; t++)
                    row[t * width + m * columns + k] = product[t];
                for (Py_ssize_t l = k; l < columns; l++)
                    square[(m * columns + k) * columns + l] +=
                        dot(product, (const double *)pass.column[l].buf + start, n);
            }
        for (Py_ssize_t t = 0; t < n; t++) {
            const double *each = row + t * width;
            double *of_a = cross + i[t] * width, *of_b = cross + j[t] * width;
            for (Py_ssize_t k = 0; k < width; k++) {
                of_a[k] += each[k];
                of_b[k] -= each[k];
            }
        }
    }
    PyMem_Free(row);
    for (int m = 0; m < 3; m++)
        PyBuffer_Release(&view[m]);
    leave_passage(&pass);
    Py_RETURN_NONE;
bad:
    for (int m = 0; m < 3; m++)
        PyBuffer_Release(&view[m]);
    leave_passage(&pass);
    return NULL;
}
