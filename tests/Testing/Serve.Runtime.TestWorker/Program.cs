using Serve.Runtime;
using Serve.Runtime.TestWorker;

// "worker": the worker of a node under test. "node WORKERS": a node that starts workers and waits to be killed. "supervise COMMAND": runs a command that ends with its parent.
switch (args)
{
    case ["worker"]:
        await WorkerProcessHost.RunAsync(TestWorkerServices.Add);
        break;
    case ["supervise", _, ..]:
        return ProcessGroupSupervisor.Run(args[1..]);
    case ["node", var workers]:
        await WorkerSpawningTestNode.RunAsync(int.Parse(workers, System.Globalization.CultureInfo.InvariantCulture));
        break;
    default:
        Console.Error.WriteLine("worker | node N");
        return 2;
}

return 0;
