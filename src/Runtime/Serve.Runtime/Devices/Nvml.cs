using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Runtime.Devices;

/// <summary>NVIDIA's management library, where the driver has put it. Opened once and kept. See NVIDIA's NVML API reference.</summary>
internal sealed unsafe class Nvml : IGpuDevices
{
    private const int Success = 0;
    private const int NameLength = 96;
    private const int UuidLength = 96;
    private const int MaxProcesses = 256;
    private const int NotSupported = 3;
    private const int NotFound = 6;

    private readonly delegate* unmanaged<uint*, int> _countOf;
    private readonly delegate* unmanaged<uint, nint*, int> _handleOf;
    private readonly delegate* unmanaged<nint, byte*, uint, int> _nameOf;
    private readonly delegate* unmanaged<nint, byte*, uint, int> _uuidOf;
    private readonly delegate* unmanaged<nint, Memory*, int> _memoryOf;
    private readonly delegate* unmanaged<nint, Utilization*, int> _utilizationOf;

    private readonly delegate* unmanaged<nint, uint*, ProcessInfo*, int> _processesOf;
    private readonly delegate* unmanaged<nint, ProcessSample*, uint*, ulong, int> _samplesOf;

    private Nvml(nint library)
    {
        _countOf = (delegate* unmanaged<uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetCount_v2");
        _handleOf = (delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByIndex_v2");
        _nameOf = (delegate* unmanaged<nint, byte*, uint, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetName");
        _uuidOf = (delegate* unmanaged<nint, byte*, uint, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUUID");
        _memoryOf = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _utilizationOf = (delegate* unmanaged<nint, Utilization*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUtilizationRates");
        // Drivers before 510 have the second version only, whose structure is the same.
        if (NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v3", out var processes) || NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v2", out processes))
            _processesOf = (delegate* unmanaged<nint, uint*, ProcessInfo*, int>)processes;
        if (NativeLibrary.TryGetExport(library, "nvmlDeviceGetProcessUtilization", out var samples))
            _samplesOf = (delegate* unmanaged<nint, ProcessSample*, uint*, ulong, int>)samples;
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

    public IReadOnlyList<GpuProcess> ReadProcesses()
    {
        var count = 0u;
        if (_processesOf == null || _countOf(&count) != Success)
            return [];
        List<GpuProcess> processes = [];
        for (var index = 0u; index < count; index++)
        {
            nint handle;
            if (_handleOf(index, &handle) != Success)
                continue;
            var used = new ProcessInfo[MaxProcesses];
            var length = (uint)used.Length;
            fixed (ProcessInfo* first = used)
            {
                if (_processesOf(handle, &length, first) != Success)
                    continue;
            }

            var busy = BusyProcessesOf(handle);
            for (var each = 0; each < (int)length; each++)
            {
                // The driver reports all bits set where it does not know the memory, for example in a container.
                processes.Add(new((int)index, (int)used[each].Pid, used[each].Memory == ulong.MaxValue ? null : (long)used[each].Memory, busy?.GetValueOrDefault((int)used[each].Pid)));
            }
        }

        return processes;
    }

    private Dictionary<int, double>? BusyProcessesOf(nint handle)
    {
        if (_samplesOf == null)
            return null;
        var samples = new ProcessSample[MaxProcesses];
        var length = (uint)samples.Length;
        Dictionary<int, (ulong At, double Share)> newest = [];
        fixed (ProcessSample* first = samples)
        {
            // Not found: no process was busy.
            if (_samplesOf(handle, first, &length, 0) is not (Success or NotFound) and var failure)
                return failure == NotSupported ? null : [];
        }

        for (var index = 0; index < (int)length; index++)
        {
            var sample = samples[index];
            if (!newest.TryGetValue((int)sample.Pid, out var known) || known.At < sample.TimeStamp)
                newest[(int)sample.Pid] = (sample.TimeStamp, sample.Multiprocessors / 100.0);
        }

        return newest.ToDictionary(pair => pair.Key, pair => pair.Value.Share);
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

    // nvmlProcessInfo_t and nvmlProcessUtilizationSample_t.
    [StructLayout(LayoutKind.Sequential)]
    private struct ProcessInfo
    {
        public uint Pid;
        public ulong Memory;
        public uint GpuInstance;
        public uint ComputeInstance;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ProcessSample
    {
        public uint Pid;
        public ulong TimeStamp;
        public uint Multiprocessors;
        public uint Memory;
        public uint Encoder;
        public uint Decoder;
    }
}
