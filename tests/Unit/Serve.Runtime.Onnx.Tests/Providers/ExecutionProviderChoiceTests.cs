using System.Collections.Immutable;
using Serve.Runtime.Onnx.Providers;

namespace Serve.Runtime.Onnx.Tests.Providers;

/// <summary>Selection of execution providers by request and by availability.</summary>
public sealed class ExecutionProviderChoiceTests
{
    private const long Gigabyte = 1L << 30;

    private static readonly ExecutionProviderFacts CpuBuild = new(
        "1.31.1", ["CPUExecutionProvider"], [("libcuda.so.1", false), ("libcudart.so.13", false)], ImmutableSortedDictionary<int, long>.Empty);

    private static readonly ExecutionProviderFacts GpuBuild = new(
        "1.31.1", ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], [("libcuda.so.1", true)],
        ImmutableSortedDictionary<int, long>.Empty.Add(0, 80 * Gigabyte).Add(1, 40 * Gigabyte));

    [Fact]
    public void Decide_AutoWithoutGpus_IsTheCpuWhateverIsThere()
    {
        var choice = ExecutionProviderChoice.Decide(new("auto", [], 0, null), GpuBuild);

        Assert.Equal([new ExecutionProviderSelection("cpu")], choice.Candidates.ToArray());
        Assert.Null(choice.Note);
    }

    [Fact]
    public void Decide_AutoWithAGpu_IsCudaOnItsDeviceThenTheCpu()
    {
        var choice = ExecutionProviderChoice.Decide(new("auto", [1], 1, null), GpuBuild);

        Assert.Equal([new ExecutionProviderSelection("cuda", 1), new ExecutionProviderSelection("cpu")], choice.Candidates.ToArray());
    }

    [Fact]
    public void Decide_AutoWithUnusableGpu_SelectsCpuWithNote()
    {
        var choice = ExecutionProviderChoice.Decide(new("auto", [0], 0.5, null), CpuBuild);

        Assert.Equal([new ExecutionProviderSelection("cpu")], choice.Candidates.ToArray());
        Assert.Contains("num_gpus is 0.5, but no GPU is available", choice.Note, StringComparison.Ordinal);
        Assert.Contains("has CPUExecutionProvider", choice.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void CpuNotice_AGpuIsAssigned_NamesTheModelAndTheReason()
    {
        var request = new ExecutionProviderRequest("auto", [0], 1, null);
        var cpu = new ExecutionProviderSelection("cpu");

        var noCuda = ExecutionProviderChoice.CpuNotice("m.onnx", request, cpu, ExecutionProviderChoice.Decide(request, CpuBuild), CpuBuild);
        var failed = ExecutionProviderChoice.CpuNotice("m.onnx", request, cpu, ExecutionProviderChoice.Decide(request, GpuBuild), GpuBuild);

        Assert.StartsWith("m.onnx runs on the CPU, although num_gpus is 1: num_gpus is 1, but no GPU is available.", noCuda, StringComparison.Ordinal);
        Assert.StartsWith("m.onnx runs on the CPU, although num_gpus is 1: cuda could not be used.", failed, StringComparison.Ordinal);
    }

    [Fact]
    public void CpuNotice_RunsOnTheGpuOrNoneIsAssigned_IsNull()
    {
        var (request, without) = (new ExecutionProviderRequest("auto", [0], 1, null), new ExecutionProviderRequest("auto", [], 0, null));

        Assert.Null(ExecutionProviderChoice.CpuNotice("m.onnx", request, new("cuda"), ExecutionProviderChoice.Decide(request, GpuBuild), GpuBuild));
        Assert.Null(ExecutionProviderChoice.CpuNotice("m.onnx", without, new("cpu"), ExecutionProviderChoice.Decide(without, CpuBuild), CpuBuild));
    }

    [Theory]
    [InlineData("cuda", "CUDAExecutionProvider")]
    [InlineData("tensorrt", "TensorrtExecutionProvider")]
    public void Decide_GpuUnavailable_ErrorListsMissingLibraries(string asked, string provider)
    {
        var choice = ExecutionProviderChoice.Decide(new(asked, [0], 1, null), CpuBuild);

        Assert.Empty(choice.Candidates);
        foreach (var part in new[]
        {
            $"execution_provider is {asked}, but {provider} is not available", "ONNX Runtime 1.31.1 has CPUExecutionProvider",
            "could not be loaded: libcuda.so.1, libcudart.so.13", "driver reports no device", "-p:OnnxRuntime=Gpu",
        })
        {
            Assert.Contains(part, choice.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("tensorrt")]
    public void Decide_GpuThatIsThere_IsThatAlone(string asked) =>
        Assert.Equal([new ExecutionProviderSelection(asked, 1)], ExecutionProviderChoice.Decide(new(asked, [1], 1, null), GpuBuild).Candidates.ToArray());

    [Fact]
    public void Decide_DeviceThatTheDriverHasNot_IsAnError()
    {
        var choice = ExecutionProviderChoice.Decide(new("cuda", [7], 1, null), GpuBuild);

        Assert.Contains("no device 7", choice.Error, StringComparison.Ordinal);
        Assert.Contains("reports 2 devices", choice.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_CudaWithoutNumGpus_SelectsFirstDeviceWithNote()
    {
        var choice = ExecutionProviderChoice.Decide(new("cuda", [], 0, null), GpuBuild);

        Assert.Equal([new ExecutionProviderSelection("cuda")], choice.Candidates.ToArray());
        Assert.Contains("without a reservation", choice.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_FractionOfADevice_HasThatFractionOfItsMemory()
    {
        Assert.Equal(10 * Gigabyte, Assert.Single(ExecutionProviderChoice.Decide(new("cuda", [1], 0.25, null), GpuBuild).Candidates).MemoryLimit);
        Assert.Equal(5, Assert.Single(ExecutionProviderChoice.Decide(new("cuda", [1], 0.25, 5), GpuBuild).Candidates).MemoryLimit);
        Assert.Null(Assert.Single(ExecutionProviderChoice.Decide(new("cuda", [1], 2, null), GpuBuild).Candidates).MemoryLimit);
        Assert.Null(Assert.Single(ExecutionProviderChoice.Decide(new("cuda", [1], 0.25, null), GpuBuild with { DeviceMemory = ImmutableSortedDictionary<int, long>.Empty }).Candidates).MemoryLimit);
    }

    [Theory]
    [InlineData("/opt/providers/libmine.so", "libmine")]
    [InlineData("providers/mine", "mine")]
    [InlineData("mine.dll", "mine")]
    public void Decide_Path_IsThePlugIn(string asked, string name) =>
        Assert.Equal(new ExecutionProviderSelection(name, 1, null, asked), Assert.Single(ExecutionProviderChoice.Decide(new(asked, [1], 1, null), CpuBuild).Candidates));

    [Fact]
    public void Decide_Mistyped_ErrorSuggestsName() =>
        Assert.Contains("but was 'cude'. Did you mean 'cuda'?", ExecutionProviderChoice.Decide(new("cude", [], 0, null), CpuBuild).Error, StringComparison.Ordinal);
}
