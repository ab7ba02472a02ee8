using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Serve.Nodes;
using Serve.Runtime;

namespace Serve.Cli.Verbs;

/// <summary>Options for the resources of a node, with Ray's names.</summary>
internal sealed class NodeResourceOptions
{
    private const string Expected = "a number, 0 or more";

    // Amounts are stored as integers in units of 0.0001.
    private const double MaxAmount = 1e14;

    private readonly Option<double?> _cpus = NumericOptionParser.Of("--num-cpus", "N", "Number of CPUs that replicas, tasks and actors can reserve. Default: the CPUs of the machine.", 0, MaxAmount, Expected);
    private readonly Option<int?> _gpus = NumericOptionParser.Of("--num-gpus", "N", "Number of GPUs that they can reserve. Default: the NVIDIA devices in CUDA_VISIBLE_DEVICES, or all if it is not set.", 0, 1 << 16, "an integer, 0 or more");
    private readonly Option<long?> _memory = NumericOptionParser.Of("--memory", "BYTES", "Memory in bytes that they can reserve. Default: the memory of the machine or container.", 0, (long)MaxAmount, "a number of bytes, 0 or more");
    private readonly Option<string[]> _custom = new("--resource")
    {
        Description = "Custom resource, for example --resource license=2. Can be specified multiple times.",
        HelpName = "NAME=AMOUNT",
        DefaultValueFactory = _ => [],
    };

    /// <summary>Adds the options to a command.</summary>
    public NodeResourceOptions(Command command)
    {
        _custom.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!TryRead(token.Value, out var name, out _))
                    result.AddError($"--resource must be NAME=AMOUNT, for example license=2, but was '{token.Value}'.");
                else if (name is ResourceDemand.Cpu or ResourceDemand.Gpu or ResourceDemand.Memory)
                    result.AddError($"--resource {name} is not allowed. Use --num-cpus, --num-gpus or --memory.");
            }
        });
        Option[] all = [_cpus, _gpus, _memory, _custom];
        foreach (var option in all)
            command.Options.Add(option);
    }

    /// <summary>Reads the options.</summary>
    public ResourceDemand Read(ParseResult parsed) => ResourceDemandFactory.TotalOf(new()
    {
        NumCpus = parsed.GetValue(_cpus),
        NumGpus = parsed.GetValue(_gpus),
        Memory = parsed.GetValue(_memory),
        Resources = (parsed.GetValue(_custom) ?? []).Aggregate(
            ImmutableDictionary<string, double>.Empty, static (all, text) => TryRead(text, out var name, out var amount) ? all.SetItem(name, amount) : all),
    });

    private static bool TryRead(string text, out string name, out double amount)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        name = at < 0 ? "" : text[..at].Trim();
        return double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out amount) && name.Length > 0 && amount is >= 0 and <= MaxAmount;
    }
}
