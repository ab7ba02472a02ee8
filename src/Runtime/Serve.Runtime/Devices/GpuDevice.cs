namespace Serve.Runtime.Devices;

/// <summary>A device as its driver sees it now.</summary>
/// <param name="Id">Its number, CUDA's: from 0, of those that this process may see.</param>
/// <param name="Uuid">The driver's name for it, <c>GPU-…</c>; empty when it does not tell.</param>
/// <param name="Name">For instance <c>NVIDIA H100 80GB HBM3</c>.</param>
/// <param name="TotalMemory">In bytes.</param>
/// <param name="UsedMemory">In bytes, by all processes.</param>
/// <param name="Utilization">The share of the last moments in which it was busy, 0 to 1; null when the driver does not tell.</param>
public sealed record GpuDevice(int Id, string Uuid, string Name, long TotalMemory, long UsedMemory, double? Utilization);
