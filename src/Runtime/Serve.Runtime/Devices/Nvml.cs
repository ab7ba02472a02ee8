using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Runtime.Devices;

/// <summary>NVIDIA's management library, where the driver has put it. Opened once and kept. See NVIDIA's NVML API reference.</summary>
internal sealed unsafe class Nvml : IGpuDevices
{
    private const int Success = 0;
    private const int NameLength = 96;
    private const int UuidLength = 96;

    private readonly delegate* unmanaged<uint*, int> _countOf;
    private readonly delegate* unmanaged<uint, nint*, int> _handleOf;
    private readonly delegate* unmanaged<nint, byte*, uint, int> _nameOf;
    private readonly delegate* unmanaged<nint, byte*, uint, int> _uuidOf;
    private readonly delegate* unmanaged<nint, Memory*, int> _memoryOf;
    private readonly delegate* unmanaged<nint, Utilization*, int> _utilizationOf;

    private Nvml(nint library)
    {
        _countOf = (delegate* unmanaged<uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetCount_v2");
        _handleOf = (delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByIndex_v2");
        _nameOf = (delegate* unmanaged<nint, byte*, uint, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetName");
        _uuidOf = (delegate* unmanaged<nint, byte*, uint, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUUID");
        _memoryOf = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _utilizationOf = (delegate* unmanaged<nint, Utilization*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUtilizationRates");
    }

    /// <returns>Null where there is no such library, or it finds no driver.</returns>
    public static Nvml? TryOpen(string? path = null)
    {
        if (!NativeLibrary.TryLoad(path ?? (OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1"), out var library))
            return null;
        try
        {
            var start = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlInit_v2");
            return start() == Success ? new Nvml(library) : null;
        }
        catch (EntryPointNotFoundException)
        {
            // Too old, or something else of this name.
            return null;
        }
    }

    public IReadOnlyList<GpuDevice> Read()
    {
        var count = 0u;
        if (_countOf(&count) != Success)
            return [];
        var devices = new List<GpuDevice>((int)count);
        for (var index = 0u; index < count; index++)
        {
            nint handle;
            Memory memory;
            if (_handleOf(index, &handle) == Success && _memoryOf(handle, &memory) == Success)
                devices.Add(new((int)index, TextOf(_uuidOf, handle, UuidLength), TextOf(_nameOf, handle, NameLength), (long)memory.Total, (long)memory.Used, BusyOf(handle)));
        }

        return devices;
    }

    private static string TextOf(delegate* unmanaged<nint, byte*, uint, int> read, nint handle, int length)
    {
        var text = stackalloc byte[length];
        return read(handle, text, (uint)length) == Success ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)) : "";
    }

    private double? BusyOf(nint handle)
    {
        Utilization utilization;
        return _utilizationOf(handle, &utilization) == Success ? utilization.Gpu / 100.0 : null;
    }

    // nvmlMemory_t and nvmlUtilization_t.
    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Utilization
    {
        public uint Gpu;
        public uint Memory;
    }
}
