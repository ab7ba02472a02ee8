namespace Serve.Runtime.Devices;

/// <summary>A device as its driver sees it now.</summary>
/// <param name="Id">Its number, CUDA's: from 0, of those that this process may see.</param>
/// <param name="Uuid">The driver's name for it, <c>GPU-…</c>; empty when it does not tell.</param>
/// <param name="Name">For instance <c>NVIDIA H100 80GB HBM3</c>.</param>
/// <param name="TotalMemory">In bytes.</param>
/// <param name="UsedMemory">In bytes, by all processes.</param>
/// <param name="Utilization">The share of the last moments in which it was busy, 0 to 1; null when the driver does not tell.</param>
public sealed record GpuDevice(int Id, string Uuid, string Name, long TotalMemory, long UsedMemory, double? Utilization);

/// <summary>Use of one device by one process.</summary>
/// <param name="Device">The device's number.</param>
/// <param name="Pid">The process, as the driver numbers it.</param>
/// <param name="Memory">In bytes; null if the driver does not report it.</param>
/// <param name="Utilization">The share of the last second in which the process kept the device busy, 0 to 1; null if the driver does not report it.</param>
public sealed record GpuProcess(int Device, int Pid, long? Memory, double? Utilization);
