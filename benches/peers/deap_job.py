"""The whole job in DEAP and numpy: iris, 4-8-3 tanh, a genetic algorithm of 50 x 100 generations on cross-entropy, then
500 epochs of full-batch Adam. Prints the last loss. Usage: deap_job.py SEED"""
import random
import sys

import numpy as np
from deap import base, creator, tools
from sklearn.datasets import load_iris

seed = int(sys.argv[1])
random.seed(seed)
rng = np.random.default_rng(seed)
x, y = load_iris(return_X_y=True)
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
rows = np.arange(len(y))


def unpack(genes):
    genes = np.asarray(genes, dtype=np.float32)
    return genes[:32].reshape(4, 8), genes[32:40], genes[40:64].reshape(8, 3), genes[64:]


def forward(genes):
    w1, b1, w2, b2 = unpack(genes)
    hidden = np.tanh(x @ w1 + b1)
    z = hidden @ w2 + b2
    z = z - z.max(1, keepdims=True)
    return hidden, z - np.log(np.exp(z).sum(1, keepdims=True))


def loss(genes):
    return float(-forward(genes)[1][rows, y].mean())


creator.create("Fitness", base.Fitness, weights=(-1.0,))
creator.create("Individual", list, fitness=creator.Fitness)
start = lambda: creator.Individual(np.concatenate([
    rng.normal(0, 0.5, 32), np.zeros(8), rng.normal(0, 0.35, 24), np.zeros(3)]).tolist())
population = [start() for _ in range(50)]
for individual in population:
    individual.fitness.values = (loss(individual),)
for _ in range(99):
    elites = [creator.Individual(individual) for individual in tools.selBest(population, 2)]
    for copy, original in zip(elites, tools.selBest(population, 2)):
        copy.fitness.values = original.fitness.values
    children = [creator.Individual(individual) for individual in tools.selTournament(population, 48, tournsize=3)]
    for one, other in zip(children[::2], children[1::2]):
        if random.random() < 0.9:
            tools.cxUniform(one, other, 0.5)
    for child in children:
        tools.mutGaussian(child, 0.0, 0.3, 0.05)
        child.fitness.values = (loss(child),)
    population = elites + children

genes = np.asarray(tools.selBest(population, 1)[0], dtype=np.float32)
mean, square = np.zeros_like(genes), np.zeros_like(genes)
for step in range(1, 501):
    hidden, logp = forward(genes)
    w2 = unpack(genes)[2]
    error = np.exp(logp)
    error[rows, y] -= 1
    error /= len(y)
    below = (error @ w2.T) * (1 - hidden**2)
    gradient = np.concatenate([(x.T @ below).ravel(), below.sum(0), (hidden.T @ error).ravel(), error.sum(0)])
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    genes -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
print(loss(genes))
