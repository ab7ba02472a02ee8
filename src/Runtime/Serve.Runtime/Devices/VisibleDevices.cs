using System.Globalization;

namespace Serve.Runtime.Devices;

/// <summary>
/// The devices that CUDA may see, numbered as CUDA numbers them: those that <c>CUDA_VISIBLE_DEVICES</c> lists by index or UUID, in its order, up to the first entry
/// that is none. All of them where it is not set. See "CUDA environment variables" in NVIDIA's CUDA C++ Programming Guide.
/// </summary>
/// <param name="devices">Those of the machine.</param>
/// <param name="visible">The variable's value; null where it is not set.</param>
public sealed class VisibleDevices(IGpuDevices devices, string? visible) : IGpuDevices
{
    public const string Variable = "CUDA_VISIBLE_DEVICES";

    public IReadOnlyList<GpuDevice> Read()
    {
        var all = devices.Read();
        if (visible is null)
            return all;
        var seen = new List<GpuDevice>();
        foreach (var entry in visible.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Find(all, entry) is not { } device || seen.Exists(other => other.Uuid == device.Uuid))
                break;
            seen.Add(device with { Id = seen.Count });
        }

        return seen;
    }

    /// <summary>The processes on all devices of the machine: devices that this process may not see are not used by its workers.</summary>
    public IReadOnlyList<GpuProcess> ReadProcesses() => devices.ReadProcesses();

    // A UUID may be cut short, as long as it is one device's.
    private static GpuDevice? Find(IReadOnlyList<GpuDevice> all, string entry)
    {
        if (int.TryParse(entry, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            return all.FirstOrDefault(device => device.Id == index);
        if (!entry.StartsWith("GPU-", StringComparison.Ordinal))
            return null;
        var named = all.Where(device => device.Uuid.StartsWith(entry, StringComparison.OrdinalIgnoreCase)).ToList();
        return named.Count == 1 ? named[0] : null;
    }
}
