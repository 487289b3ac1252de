"""Writes src/network/oracle_numbers.rs: loss and gradient of a small perceptron, by PyTorch in double precision."""
import torch

torch.set_default_dtype(torch.float64)
count = 2 * 3 + 3 + 3 * 2 + 2
flat = torch.tensor([((i * 7 + 3) % 11) * 0.2 - 1.0 for i in range(count)]).to(torch.float32).to(torch.float64)
flat.requires_grad_()
x = torch.tensor([[0.5, -1.0], [1.5, 2.0], [-0.3, 0.8], [0.0, 0.0], [2.5, -0.7]])
y = torch.tensor([0, 1, 1, 0, 0])
hidden = torch.tanh(x @ flat[:6].reshape(3, 2).T + flat[6:9])
loss = torch.nn.functional.cross_entropy(hidden @ flat[9:15].reshape(2, 3).T + flat[15:], y)
loss.backward()
with open("src/network/oracle_numbers.rs", "w") as file:
    file.write(f"// PyTorch {torch.__version__}, tests/oracle/pytorch_mlp.py.\n")
    file.write(f"const PYTORCH_LOSS: f64 = {loss.item():.15};\n")
    rows = ",\n".join(f"    {g:.15}" for g in flat.grad.tolist())
    file.write(f"const PYTORCH_GRADIENT: [f64; {count}] = [\n{rows},\n];\n")
